using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>What a case starts from, and the words that it is made of.</summary>
internal static class CaseState
{
    /// <summary>Addresses with nothing behind them, at both ends of the address space and just after memory.</summary>
    public static readonly ulong[] Unmapped = [0x20, 0x84000040, 0x0000100000000000, 0x00ffffffffffff00, 0x4000000000000000, 0xfffffffffffff000, 0xffffffff80000000];

    private static readonly int[] RoundingModes = [0, 1, 2, 3, 4, 7, 7];
    private static readonly int[] FloatCsrs = [1, 2, 3];

    public static OracleCase New(ulong seed, SeededRandom random, bool single)
    {
        var item = new OracleCase { Seed = seed };
        for (var i = 1; i < 32; i++)
            item.X[i] = OperandValues.Integer(random);
        for (var i = 0; i < 32; i++)
            item.F[i] = i > 0 && random.Percent(12) ? item.F[random.Below(i)] ^ (random.Percent(50) ? single ? 1ul << 31 : 1ul << 63 : 0ul) : OperandValues.Float(random, single);
        var rounding = random.Percent(8) ? 5 + random.Below(3) : random.Below(5);
        item.Fcsr = (ulong)((rounding << 5) | (random.Percent(60) ? 0 : random.Below(32)));
        random.Fill(item.Scratch);
        var floats = random.Below(32) switch { 0 => 0ul, < 12 => 1ul, < 20 => 2ul, _ => 3ul };
        // SPIE, SPP, SUM and MXR change nothing here, and must come through.
        item.Status = (floats << 13) | (random.Next() & 0xc0120);
        item.Mode = random.Below(5) switch { 0 => PrivilegeMode.User, 1 => PrivilegeMode.Supervisor, _ => PrivilegeMode.Machine };
        return item;
    }

    /// <summary>A random encoding of the instruction: operands of any kind, rounding modes of all.</summary>
    public static uint Encode(Instruction instruction, SeededRandom random)
    {
        while (true)
        {
            var word = instruction.Match | ((uint)random.Next() & ~instruction.Mask);
            if (instruction.IsCompressed)
                word &= 0xffff;
            var first = -1;
            foreach (var operand in instruction.Format.Operands)
            {
                if (operand.Kind == OperandKind.Rounding)
                    word = operand.Put(word, random.Percent(8) ? 5 + random.Below(2) : random.Of(RoundingModes));
                else if (operand.Kind == OperandKind.Csr)
                    word = operand.Put(word, random.Of(FloatCsrs));
                else if (operand.IsInteger && first >= 0 && random.Percent(8))
                    word = operand.Put(word, first);
                if (operand.IsInteger)
                    first = operand.Of(word);
            }

            if (InstructionTable.Decode(word) == instruction)
                return word;
        }
    }

    /// <summary>Whether the instruction must not trap as illegal in the case's state.</summary>
    public static bool IsLegal(Instruction instruction, uint word, OracleCase item)
    {
        if (!instruction.IsDefined(word))
            return false;
        var floats = instruction.Extension is "F" or "D" or "Zfa" or "Zicsr" || instruction.Name is "c.fld" or "c.fsd" or "c.fldsp" or "c.fsdsp";
        if (floats && (item.Status >> 13 & 3) == 0)
            return false;
        if (instruction.Extension == "S" && item.Mode == PrivilegeMode.User)
            return false;
        foreach (var operand in instruction.Format.Operands)
        {
            if (operand.Kind == OperandKind.Rounding && (operand.Of(word) is 5 or 6 || (operand.Of(word) == 7 && item.Fcsr >> 5 > 4)))
                return false;
        }

        return true;
    }

    public static bool IsSingle(Instruction instruction) => instruction.Name.EndsWith(".s", StringComparison.Ordinal) || instruction.Name.Contains(".s.", StringComparison.Ordinal) || instruction.Name is "flw" or "fsw" or "fmv.x.w";
}
