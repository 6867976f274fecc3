using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>Programs of some instructions, with loads and stores, atomics, branches forward and loops that end.</summary>
internal static class Sequences
{
    public const int Pitch = 512;

    private const int Sp = 2, Scratch = 8, Moving = 9, Counter = 30;
    private const uint AddiMoving = 0x00040493, LoadCounter = 0x00000f13, CountDown = 0xffff0f13, BneCounter = 0x000f1063;

    private static readonly List<Instruction> Plain = InstructionTable.All.Where(i => !i.IsControlFlow && i.AccessSize == 0 && i.Name is not ("ecall" or "c.addi16sp")).ToList();
    private static readonly List<Instruction> Memory = InstructionTable.All.Where(i => i.AccessSize is > 0 and < 64 && !i.IsAtomic).ToList();
    // sc.w comes with its own lr.w only: after an lr.d QEMU stores, and says that it didn't.
    private static readonly List<Instruction> Atomic = InstructionTable.All.Where(i => (i.IsAtomic || i.AccessSize == 64) && i.Name != "sc.w").ToList();
    private static readonly List<Instruction> Branches = InstructionTable.All.Where(i => i.Format.Name == "Branch").ToList();
    private static readonly Instruction Jal = InstructionTable.All.Single(i => i.Name == "jal");
    private static readonly Instruction[] Reserved = InstructionTable.All.Where(i => i.Format.Name == "LoadReserved").ToArray();
    private static readonly Instruction[] Conditional = InstructionTable.All.Where(i => i.Name.StartsWith("sc.", StringComparison.Ordinal)).ToArray();

    public static OracleCase Generate(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var item = CaseState.New(seed, random, random.Percent(40));
        item.X[Sp] = item.X[Scratch] = place.Scratch;
        var pending = new List<(int Offset, uint Word, int Items)>();
        var count = 8 + random.Below(25);
        for (var i = 0; i < count; i++)
        {
            Settle(item, pending);
            switch (random.Below(20))
            {
                case 0 or 1:
                    var word = random.Percent(80) ? CaseState.Encode(random.Of(Branches), random) & 0x01fff07f : Writable(Jal, random) & 0xfff;
                    pending.Add((item.Emit(word), word, 1 + random.Below(5)));
                    break;
                case 2:
                    Loop(item, random);
                    break;
                case 3:
                    Pair(item, random);
                    break;
                case 4 or 5:
                    Atomically(item, random.Of(Atomic), random);
                    break;
                case >= 6 and < 12:
                    item.Emit(Access(random));
                    break;
                default:
                    item.Emit(Writable(random.Of(Plain), random));
                    break;
            }
        }

        while (pending.Count > 0)
            Settle(item, pending);
        return item;
    }

    // Gives the branches whose time has come the place where the next item starts.
    private static void Settle(OracleCase item, List<(int Offset, uint Word, int Items)> pending)
    {
        for (var i = pending.Count - 1; i >= 0; i--)
        {
            var (offset, word, items) = pending[i];
            if (items > 0)
            {
                pending[i] = (offset, word, items - 1);
                continue;
            }

            item.Patch(offset, Jal.Matches(word) ? JumpTo(word, item.CodeLength - offset) : BranchTo(word, item.CodeLength - offset));
            pending.RemoveAt(i);
        }
    }

    private static void Loop(OracleCase item, SeededRandom random)
    {
        item.Emit(LoadCounter | (uint)(1 + random.Below(6)) << 20);
        var start = item.CodeLength;
        for (var n = 1 + random.Below(4); n > 0; n--)
            item.Emit(random.Percent(30) ? Access(random) : Writable(random.Of(Plain), random));
        item.Emit(CountDown);
        item.Emit(BranchTo(BneCounter, start - item.CodeLength));
    }

    // The store-conditional is mostly of the reservation's own size and place.
    private static void Pair(OracleCase item, SeededRandom random)
    {
        var size = random.Below(2);
        item.Emit(AddiMoving | (uint)(random.Below(31) * 8) << 20);
        var load = Rebase(Reserved[size], Moving, random);
        // The address must outlive the load: x31 takes what would go there.
        item.Emit((load >> 7 & 31) == Moving ? load | 0xf80 : load);
        if (random.Percent(20))
            item.Emit(AddiMoving | (uint)(random.Below(31) * 8) << 20);
        item.Emit(Rebase(Conditional[random.Percent(85) ? size : 1], Moving, random));
    }

    private static void Atomically(OracleCase item, Instruction instruction, SeededRandom random)
    {
        var size = instruction.AccessSize;
        var at = size == 64 ? random.Below(CaseRecord.ScratchSize) : random.Percent(90) ? random.Below(CaseRecord.ScratchSize / size) * size : random.Below(CaseRecord.ScratchSize - size);
        item.Emit(AddiMoving | (uint)at << 20);
        item.Emit(Rebase(instruction, Moving, random));
    }

    private static uint Access(SeededRandom random)
    {
        while (true)
        {
            var instruction = random.Of(Memory);
            var word = Rebase(instruction, random.Percent(50) && !instruction.IsCompressed ? Sp : Scratch, random);
            var offset = instruction.Offset(word);
            if (offset >= 0 && offset + instruction.AccessSize <= CaseRecord.ScratchSize)
                return word;
        }
    }

    private static uint Rebase(Instruction instruction, int register, SeededRandom random)
    {
        var word = Writable(instruction, random);
        foreach (var operand in instruction.Format.Operands)
        {
            if (operand.IsBase)
                word = operand.Put(word, register);
        }

        return word;
    }

    // An encoding that leaves the pointers and the counter alone.
    private static uint Writable(Instruction instruction, SeededRandom random)
    {
        while (true)
        {
            var word = CaseState.Encode(instruction, random);
            if (!instruction.Format.Operands.Any(o => o.IsDestination && o.Of(word) is Sp or Scratch or Counter))
                return word;
        }
    }

    private static uint BranchTo(uint word, int distance) =>
        word | (uint)((distance >> 12 & 1) << 31 | (distance >> 5 & 0x3f) << 25 | (distance >> 1 & 15) << 8 | (distance >> 11 & 1) << 7);

    private static uint JumpTo(uint word, int distance) => word | (uint)((distance >> 1 & 0x3ff) << 21 | (distance >> 11 & 1) << 20);
}
