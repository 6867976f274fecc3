using System.Globalization;

namespace Godwit.Oracle.Tests.Instructions;

/// <summary>Every instruction of user level that the machine has; the special before the general where encodings overlap.</summary>
internal static class InstructionTable
{
    public static IReadOnlyList<Instruction> All { get; } = Parse();

    /// <summary>The first entry that the word matches, or null.</summary>
    public static Instruction? Decode(uint word) => All.FirstOrDefault(i => i.IsCompressed == ((word & 3) != 3) && i.Matches(i.IsCompressed ? word & 0xffff : word));

    public static string Text(uint word) => Decode(word)?.Text(word) ?? ((word & 3) == 3 ? $".word 0x{word:x8}" : $".half 0x{word & 0xffff:x4}");

    private static List<Instruction> Parse()
    {
        var instructions = new List<Instruction>();
        foreach (var line in (InstructionList.Compressed + InstructionList.Integer + InstructionList.Bits + InstructionList.Float).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // EXTENSION FORMAT name=match ...
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var format = InstructionFormat.Named(words[1]);
            foreach (var word in words[2..])
            {
                var (name, match) = (word.Split('=')[0], uint.Parse(word.Split('=')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                if ((match & ~format.Mask) != 0)
                    throw new InvalidOperationException($"{name}: bits outside of its format's mask");
                instructions.Add(new Instruction(words[0], name, match, format));
            }
        }

        return instructions;
    }
}
