using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>A case a jump or branch, far from the others in a field of breakpoints, so that the trap tells where it has landed.</summary>
internal static class JumpInstructions
{
    public const int Pitch = 1024;

    /// <summary>More than JAL reaches.</summary>
    public const int Margin = 0x100800;

    // What a case's code and its end take.
    private const int Taken = 12;

    public static IReadOnlyList<Instruction> Covered { get; } = InstructionTable.All.Where(i => i.IsControlFlow).ToList();

    public static OracleCase Generate(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var instruction = Covered[place.Index % Covered.Count];
        var item = CaseState.New(seed, random, single: false);
        uint word;
        do
            word = CaseState.Encode(instruction, random);
        while (!Lands(instruction, word, place));
        var operands = instruction.Format.Operands.Where(o => o.IsInteger && !o.IsDestination).Select(o => o.Of(word)).ToArray();
        if (instruction.Format.Name == "Branch" && random.Percent(30))
            item.X[operands[1]] = operands[1] == 0 ? 0 : item.X[operands[0]];
        else if (instruction.Format.Name == "CBranch" && random.Percent(50))
            item.X[operands[0]] = 0;
        else if (IsIndirect(instruction))
            item.X[operands[0]] = Target(place, random) - (ulong)(instruction.Format.Name == "Jalr" ? (int)word >> 20 : 0);
        item.Emit(word);
        item.IsLegal = true;
        return item;
    }

    private static bool IsIndirect(Instruction instruction) => instruction.Format.Name is "Jalr" or "CJumpRegister";

    private static bool Lands(Instruction instruction, uint word, in CasePlace place)
    {
        if (IsIndirect(instruction))
            return instruction.Format.Operands.First(o => o.IsInteger && !o.IsDestination).Of(word) != 0;
        var distance = instruction.Distance(word);
        return distance == instruction.Length || IsFree(place, place.Code + (ulong)distance);
    }

    private static ulong Target(in CasePlace place, SeededRandom random)
    {
        if (random.Percent(10))
            return random.Of(CaseState.Unmapped) & ~0xful;
        while (true)
        {
            var target = place.FieldStart + (random.Next() % (place.FieldEnd - place.FieldStart - 2));
            if (IsFree(place, target))
                return target;
        }
    }

    private static bool IsFree(in CasePlace place, ulong target) =>
        target >= place.FieldStart && target < place.FieldEnd - 2 && (target - place.Code) % Pitch is > Taken and < Pitch - 4;
}
