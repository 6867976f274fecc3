using System.Buffers.Binary;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>A few RISC-V instructions, and programs made of them. Registers are numbers; a program starts at the start of RAM.</summary>
internal static class Code
{
    public const int Zero = 0, T0 = 5, T1 = 6, T2 = 7, A2 = 12, A3 = 13, A4 = 14, A5 = 15;

    public const uint Wfi = 0x10500073, Mret = 0x30200073, Nop = 0x13;

    /// <summary>Here for ever.</summary>
    public const uint Stay = 0x6f;

    public static uint Lui(int rd, uint upper) => (upper << 12) | Rd(rd) | 0x37;

    public static uint Auipc(int rd, uint upper) => (upper << 12) | Rd(rd) | 0x17;

    public static uint Addi(int rd, int rs1, int value) => I(0x13, 0, rd, rs1, value);

    public static uint Andi(int rd, int rs1, int value) => I(0x13, 7, rd, rs1, value);

    public static uint Slli(int rd, int rs1, int shift) => I(0x13, 1, rd, rs1, shift);

    public static uint Add(int rd, int rs1, int rs2) => I(0x33, 0, rd, rs1, rs2);

    public static uint Lbu(int rd, int offset, int rs1) => I(0x03, 4, rd, rs1, offset);

    public static uint Ld(int rd, int offset, int rs1) => I(0x03, 3, rd, rs1, offset);

    public static uint Sb(int rs2, int offset, int rs1) => S(0, rs2, offset, rs1);

    public static uint Sw(int rs2, int offset, int rs1) => S(2, rs2, offset, rs1);

    public static uint Sd(int rs2, int offset, int rs1) => S(3, rs2, offset, rs1);

    public static uint Csrw(int csr, int rs1) => I(0x73, 1, Zero, rs1, csr);

    public static uint Csrr(int rd, int csr) => I(0x73, 2, rd, Zero, csr);

    /// <param name="distance">In bytes, from this instruction.</param>
    public static uint Beqz(int rs1, int distance) => B(0, rs1, Zero, distance);

    public static uint Bnez(int rs1, int distance) => B(1, rs1, Zero, distance);

    public static uint Blt(int rs1, int rs2, int distance) => B(4, rs1, rs2, distance);

    public static uint Jump(int distance) =>
        (Bits(distance, 20, 1) << 31) | (Bits(distance, 1, 10) << 21) | (Bits(distance, 11, 1) << 20) | (Bits(distance, 12, 8) << 12) | 0x6f;

    /// <summary>A constant of 32 bits, sign-extended, in two instructions.</summary>
    public static uint[] Li(int rd, uint value) =>
        [Lui(rd, (value + 0x800) >> 12), I(0x1b, 0, rd, rd, (int)(value << 20) >> 20)];

    /// <summary>Writes a word to the register that switches the machine off.</summary>
    public static uint[] Finish(uint word) => [Lui(T0, 0x100), .. Li(T1, word), Sw(T1, 0, T0), Stay];

    public static byte[] ToBytes(params ReadOnlySpan<uint> code)
    {
        var bytes = new byte[code.Length * sizeof(uint)];
        for (var n = 0; n < code.Length; n++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(n * sizeof(uint)), code[n]);
        return bytes;
    }

    private static uint I(uint opcode, uint function, int rd, int rs1, int immediate) =>
        ((uint)immediate << 20) | ((uint)rs1 << 15) | (function << 12) | Rd(rd) | opcode;

    private static uint S(uint function, int rs2, int offset, int rs1) =>
        (Bits(offset, 5, 7) << 25) | ((uint)rs2 << 20) | ((uint)rs1 << 15) | (function << 12) | (Bits(offset, 0, 5) << 7) | 0x23;

    private static uint B(uint function, int rs1, int rs2, int distance) =>
        (Bits(distance, 12, 1) << 31) | (Bits(distance, 5, 6) << 25) | ((uint)rs2 << 20) | ((uint)rs1 << 15) | (function << 12)
        | (Bits(distance, 1, 4) << 8) | (Bits(distance, 11, 1) << 7) | 0x63;

    private static uint Rd(int rd) => (uint)rd << 7;

    private static uint Bits(int value, int from, int count) => ((uint)value >> from) & ((1u << count) - 1);
}
