using System.Buffers.Binary;
using System.Numerics;
using Godwit.Machine.Cpu.Decode;
using static Godwit.Machine.Cpu.Execute.BitOperation;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>The integer instructions that are too rare for the main loop.</summary>
internal static class IntegerUnit
{
    public static void Execute(in Instruction i, HartState s)
    {
        var a = s.X[i.Rs1 & 63];
        var b = s.X[i.Rs2 & 63];
        s.X[i.Rd & 63] = i.Opcode switch
        {
            Opcode.Mulh => (ulong)Math.BigMul((long)a, (long)b, out _),
            Opcode.Mulhsu => MultiplyHighSignedUnsigned(a, b),
            Opcode.Div => Divide(a, b),
            Opcode.Rem => Remainder(a, b),
            Opcode.Divw => DivideWord(a, b),
            Opcode.Divuw => DivideUnsignedWord(a, b),
            Opcode.Remw => RemainderWord(a, b),
            Opcode.Remuw => RemainderUnsignedWord(a, b),
            Opcode.Sh1AddUw => ((ulong)(uint)a << 1) + b,
            Opcode.Sh2AddUw => ((ulong)(uint)a << 2) + b,
            Opcode.Sh3AddUw => ((ulong)(uint)a << 3) + b,
            Opcode.SlliUw => (ulong)(uint)a << (int)i.Imm,
            Opcode.Orn => a | ~b,
            Opcode.Xnor => ~(a ^ b),
            Opcode.Clz => (ulong)BitOperations.LeadingZeroCount(a),
            Opcode.Ctz => (ulong)BitOperations.TrailingZeroCount(a),
            Opcode.Cpop => (ulong)BitOperations.PopCount(a),
            Opcode.Clzw => (ulong)BitOperations.LeadingZeroCount((uint)a),
            Opcode.Ctzw => (ulong)BitOperations.TrailingZeroCount((uint)a),
            Opcode.Cpopw => (ulong)BitOperations.PopCount((uint)a),
            Opcode.Max => (ulong)Math.Max((long)a, (long)b),
            Opcode.Maxu => Math.Max(a, b),
            Opcode.Min => (ulong)Math.Min((long)a, (long)b),
            Opcode.Minu => Math.Min(a, b),
            Opcode.SextB => (ulong)(sbyte)a,
            Opcode.SextH => (ulong)(short)a,
            Opcode.Rol => BitOperations.RotateLeft(a, (int)b & 63),
            Opcode.Ror => BitOperations.RotateRight(a, (int)b & 63),
            Opcode.Rori => BitOperations.RotateRight(a, (int)i.Imm),
            Opcode.Rolw => RotateLeftWord(a, b),
            Opcode.Rorw => RotateRightWord(a, b),
            Opcode.Roriw => RotateRightWord(a, (ulong)i.Imm),
            Opcode.OrcB => OrCombine(a),
            Opcode.Rev8 => BinaryPrimitives.ReverseEndianness(a),
            Opcode.Clmul => MultiplyCarryless(a, b).Low,
            Opcode.Clmulh => MultiplyCarryless(a, b).High,
            Opcode.Clmulr => Reversed(MultiplyCarryless(a, b)),
            Opcode.Bclr => a & ~(1UL << (int)b),
            Opcode.Bclri => a & ~(1UL << (int)i.Imm),
            Opcode.Bext => (a >> (int)b) & 1,
            Opcode.Bexti => (a >> (int)i.Imm) & 1,
            Opcode.Binv => a ^ (1UL << (int)b),
            Opcode.Binvi => a ^ (1UL << (int)i.Imm),
            Opcode.Bset => a | (1UL << (int)b),
            Opcode.Bseti => a | (1UL << (int)i.Imm),
            _ => throw new InvalidOperationException($"{i.Opcode} is no integer instruction"),
        };
    }

    /// <summary>Bits 126:63 of a carry-less product.</summary>
    private static ulong Reversed((ulong High, ulong Low) product) => (product.High << 1) | (product.Low >> 63);
}
