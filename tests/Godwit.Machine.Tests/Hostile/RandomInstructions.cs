namespace Godwit.Machine.Tests.Hostile;

/// <summary>Instruction words: some of random bits, most with an opcode that exists.</summary>
internal static class RandomInstructions
{
    private static readonly uint[] Opcodes =
        [0x03, 0x07, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x37, 0x3b, 0x43, 0x47, 0x4b, 0x4f, 0x53, 0x63, 0x67, 0x6f, 0x73, 0x73];

    // Of atomics: add, swap, lr, sc, xor, or, and, min, max, minu, maxu.
    private static readonly uint[] Functions = [0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 28];

    // CSRs whose change is felt at once: status, translation, protection, vectors, delegation, counters.
    private static readonly uint[] Csrs =
    [
        0x001, 0x002, 0x003, 0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d, 0x180, 0x300, 0x301, 0x302, 0x303, 0x304,
        0x305, 0x306, 0x30a, 0x320, 0x323, 0x340, 0x341, 0x342, 0x343, 0x344, 0x3a0, 0x3a2, 0x3b0, 0x3b1, 0x3bf, 0xb00, 0xb02, 0xb03, 0xc00, 0xc01,
        0xc02, 0xf11, 0xf14, 0x7a0, 0x7c0, 0xda0,
    ];

    public static uint Next(Random random)
    {
        var bits = (uint)random.NextInt64(1L << 32);
        switch (random.Next(8))
        {
            case 0:
                return bits;
            case 1:
                // Two compressed ones.
                return (bits & ~0x0001_0001u) | (uint)random.Next(2) | ((uint)random.Next(2) << 16);
            case 2:
                // csrrw and its like.
                return (Csrs[random.Next(Csrs.Length)] << 20) | (bits & 0x000f_8f80) | ((uint)random.Next(1, 8) << 12) | 0x73;
            case 3:
                // Atomics: wide or narrow, and a function that exists, more often than not.
                return (bits & 0x07ff_8f80) | ((uint)random.Next(32) << 27) | ((uint)random.Next(2, 4) << 12) | 0x2f;
            case 4:
                // sret, mret, wfi, sfence.vma, ecall, ebreak, fence.i, cbo.zero.
                return random.Next(8) switch
                {
                    0 => 0x10200073,
                    1 => 0x30200073,
                    2 => 0x10500073,
                    3 => 0x12000073 | (bits & 0x01ff_8000),
                    4 => 0x73,
                    5 => 0x100073,
                    6 => 0x100f,
                    _ => 0x0040200f | (bits & 0xf_8000),
                };
            default:
                return (bits & ~0x7fu) | Opcodes[random.Next(Opcodes.Length)];
        }
    }

    /// <summary>A load, a store or an atomic operation by the address in a register from x1 to x29; what is read is dropped.</summary>
    public static uint NextAccess(Random random)
    {
        var rs1 = (uint)random.Next(1, 30) << 15;
        var rs2 = (uint)random.Next(32) << 20;
        var offset = (uint)random.Next(4) == 0 ? (uint)random.Next(4096) : (uint)random.Next(9);
        return random.Next(7) switch
        {
            0 or 1 => (offset << 20) | rs1 | ((uint)random.Next(7) << 12) | 0x03,
            2 or 3 => (offset >> 5 << 25) | rs2 | rs1 | ((uint)random.Next(4) << 12) | ((offset & 31) << 7) | 0x23,
            4 => (offset << 20) | rs1 | ((uint)random.Next(2, 4) << 12) | 0x07,
            5 => (offset >> 5 << 25) | rs2 | rs1 | ((uint)random.Next(2, 4) << 12) | ((offset & 31) << 7) | 0x27,
            _ => (Functions[random.Next(Functions.Length)] << 27) | rs2 | rs1 | ((uint)random.Next(2, 4) << 12) | 0x2f,
        };
    }
}
