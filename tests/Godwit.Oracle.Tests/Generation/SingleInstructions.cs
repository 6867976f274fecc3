using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>A case an instruction: all of the table except jumps, each as often as the others.</summary>
internal static class SingleInstructions
{
    public const int Pitch = 16;

    public static IReadOnlyList<Instruction> Covered { get; } = InstructionTable.All.Where(i => !i.IsControlFlow).ToList();

    public static OracleCase Generate(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var instruction = Covered[place.Index % Covered.Count];
        var item = CaseState.New(seed, random, CaseState.IsSingle(instruction));
        var word = CaseState.Encode(instruction, random);
        if (instruction.AccessSize > 0 || instruction.Format.Name == "Prefetch")
            PointBase(item, instruction, word, place, random);
        item.Emit(word);
        item.IsLegal = CaseState.IsLegal(instruction, word, item);
        return item;
    }

    private static void PointBase(OracleCase item, Instruction instruction, uint word, in CasePlace place, SeededRandom random)
    {
        var register = 2;
        foreach (var operand in instruction.Format.Operands)
        {
            if (operand.IsBase)
                register = operand.Of(word);
        }

        if (register == 0)
            return;
        var size = Math.Max(1, instruction.AccessSize);
        var within = size == 64 ? random.Below(CaseRecord.ScratchSize) : random.Below(CaseRecord.ScratchSize - size + 1);
        if (size < 64 && random.Percent(instruction.IsAtomic ? 85 : 65))
            within = within / size * size;
        var address = random.Percent(4) ? random.Of(CaseState.Unmapped) : place.Scratch + (ulong)within;
        item.X[register] = address - (ulong)instruction.Offset(word);
    }
}
