using Godwit.Oracle.Tests.Images;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>Control and status registers: which exist, who may read and write them, and what they make of a value.</summary>
internal static class CsrAccess
{
    public const int Pitch = 128;

    private const int Save = 10, Value = 11;

    // What differs from one run to the next: cycles, time, instructions retired.
    private static readonly HashSet<int> Volatile = [0xb00, 0xb02, 0xc00, 0xc01, 0xc02];

    private static readonly int[] Existing = Enumerable.Range(0, 4096).Where(n => !Volatile.Contains(n)).ToArray();

    private static readonly int[] Machine =
    [
        0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x320, 0x340, 0x341, 0x342, 0x343, 0x344, 0x747, 0x180, 0x14d,
        0x3a0, 0x3a2, 0x3a4, 0x3a1, 0x3b0, 0x3b1, 0x3b2, 0x3b7, 0x3bf, 0x3c0, 0x3ef, 0x323, 0x324, 0x325, 0x330, 0x33f, 0xb03, 0xb04, 0xb1f, 0xf11, 0xf12, 0xf13, 0xf14, 0xf15,
    ];

    private static readonly int[] Supervisor = [0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144];

    // Registers that are views of each other, or that mask each other.
    private static readonly int[][] Groups =
    [
        [0x303, 0x304, 0x344, 0x104, 0x144], [0x300, 0x100], [0x302, 0x303], [0x306, 0x106, 0x320], [0x30a, 0x10a, 0x14d, 0x344],
        [0x303, 0x344, 0x144], [0x303, 0x304, 0x104], [0x3a0, 0x3b0, 0x3b1, 0x3b2], [0x3a0, 0x3a2, 0x3b8], [0x001, 0x002, 0x003, 0x300],
    ];

    public static int ReadCases => PerMode * 3;

    public static int ReadOnlyCases => (1024 + CaseRecord.TrapSlots - 1) / CaseRecord.TrapSlots;

    private static int PerMode => (Existing.Length + CaseRecord.TrapSlots - 1) / CaseRecord.TrapSlots;

    public static OracleCase Generate(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var item = CaseState.New(seed, random, single: false);
        if (place.Index < ReadCases)
            Read(item, place.Index);
        else if (place.Index < ReadCases + ReadOnlyCases)
            WriteReadOnly(item, place.Index - ReadCases);
        else if (random.Percent(70))
            Write(item, random);
        else
            WriteGroup(item, random);
        return item;
    }

    private static void Read(OracleCase item, int index)
    {
        item.Mode = (index / PerMode) switch { 0 => PrivilegeMode.Machine, 1 => PrivilegeMode.Supervisor, _ => PrivilegeMode.User };
        item.Status |= 3 << 13;
        var register = Save;
        foreach (var number in Existing.Skip(index % PerMode * CaseRecord.TrapSlots).Take(CaseRecord.TrapSlots))
            item.Emit(Access(2, register++, number, 0));
    }

    private static void WriteReadOnly(OracleCase item, int index)
    {
        item.Mode = PrivilegeMode.Machine;
        for (var number = 0xc00 + (index * CaseRecord.TrapSlots); number < Math.Min(0x1000, 0xc00 + ((index + 1) * CaseRecord.TrapSlots)); number++)
            item.Emit(Access(1 + (number % 3), 0, number, Value));
    }

    private static void Write(OracleCase item, SeededRandom random)
    {
        var supervisor = random.Percent(35);
        var number = random.Of(supervisor ? Supervisor : Machine);
        item.Mode = supervisor && random.Percent(50) ? PrivilegeMode.Supervisor : PrivilegeMode.Machine;
        item.Emit(Access(2, Save, number, 0));
        for (var i = 0; i < 3; i++)
        {
            item.X[Value + i] = ValueFor(number, random);
            item.Emit(Operation(number, 20 + i, Value + i, random));
            item.Emit(Access(2, 24 + i, number, 0));
        }

        item.Emit(Access(1, 0, number, Save));
    }

    private static void WriteGroup(OracleCase item, SeededRandom random)
    {
        item.Mode = PrivilegeMode.Machine;
        var group = random.Of(Groups);
        for (var i = 0; i < group.Length; i++)
            item.Emit(Access(2, 5 + i, group[i], 0));
        for (var i = 0; i < 4; i++)
        {
            var number = random.Of(group);
            item.X[Value + i] = ValueFor(number, random);
            item.Emit(Operation(number, 0, Value + i, random));
        }

        for (var i = 0; i < group.Length; i++)
            item.Emit(Access(2, 20 + i, group[i], 0));
        for (var i = group.Length - 1; i >= 0; i--)
            item.Emit(Access(1, 0, group[i], 5 + i));
    }

    private static uint Operation(int number, int rd, int rs1, SeededRandom random) => random.Below(8) switch
    {
        0 => Access(5 + random.Below(3), rd, number, random.Below(32) & (number == 0x300 ? ~8 : ~0)),
        1 or 2 => Access(2, rd, number, rs1),
        3 or 4 => Access(3, rd, number, rs1),
        _ => Access(1, rd, number, rs1),
    };

    // Not SXL and UXL either: QEMU lets them be 32 bits, which our harts haven't.
    private const ulong Lengths = 0xful << 32;

    // No lock of a PMP entry, which nothing could take back, and no interrupts of M-mode, which could come at any time.
    private static ulong ValueFor(int number, SeededRandom random)
    {
        var value = random.Percent(50) ? OperandValues.Integer(random) : random.Next();
        return number switch
        {
            >= 0x3a0 and < 0x3b0 => value & 0x7f7f7f7f7f7f7f7f,
            0x300 => value & ~8ul & ~Lengths,
            0x100 => value & ~Lengths,
            _ => value,
        };
    }

    private static uint Access(int funct3, int rd, int number, int rs1) => (uint)((number << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x73);
}
