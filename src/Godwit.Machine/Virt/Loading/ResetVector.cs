using System.Buffers.Binary;

namespace Godwit.Machine.Virt.Loading;

/// <summary>What the harts find in the boot ROM: six instructions that put the hart's number in a0, the device tree's address in a1 and
/// OpenSBI's dynamic information in a2 and jump. Source: QEMU <c>hw/riscv/boot.c</c>, OpenSBI <c>include/sbi/fw_dynamic.h</c>.</summary>
internal static class ResetVector
{
    private const ulong InformationMagic = 0x4942534f, InformationVersion = 2, SupervisorMode = 1;

    private static ReadOnlySpan<uint> Code =>
    [
        0x00000297, // auipc t0, 0
        0x02828613, // addi  a2, t0, 40
        0xf1402573, // csrr  a0, mhartid
        0x0202b583, // ld    a1, 32(t0)
        0x0182b283, // ld    t0, 24(t0)
        0x00028067, // jr    t0
    ];

    /// <param name="start">Where the code jumps.</param>
    /// <param name="next">Where OpenSBI goes on, in supervisor mode; 0 for nowhere.</param>
    public static byte[] Create(ulong start, ulong deviceTree, ulong next)
    {
        Span<ulong> data = [start, deviceTree, InformationMagic, InformationVersion, next, SupervisorMode, 0, 0];
        var bytes = new byte[Code.Length * sizeof(uint) + data.Length * sizeof(ulong)];
        for (var i = 0; i < Code.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), Code[i]);
        for (var i = 0; i < data.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Code.Length * sizeof(uint) + i * sizeof(ulong)), data[i]);
        return bytes;
    }
}
