using System.Buffers.Binary;
using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests;

/// <summary>A case whose two results differ.</summary>
/// <param name="Words">All that is needed to understand it.</param>
internal sealed record Difference(int Index, OracleCase Case, string Words);

/// <summary>Compares what two machines made of the same image, field by field.</summary>
internal static class Comparison
{
    private const int TrapsEnd = CaseRecord.Traps + (CaseRecord.TrapSlots * CaseRecord.TrapSize);

    // FS and SD.
    private const ulong FloatStatus = (3ul << 13) | (1ul << 63);

    public static List<Difference> Compare(GuestImage image, byte[] expected, byte[] actual)
    {
        var differences = new List<Difference>();
        for (var i = 0; i < image.Cases.Count; i++)
        {
            var offset = image.RecordOffset(i);
            var left = expected.AsSpan(offset, CaseRecord.Size);
            var right = actual.AsSpan(offset, CaseRecord.Size);
            if (left.SequenceEqual(right))
                continue;
            var fields = Fields(image.Cases[i], left, right);
            if (fields.Count > 0)
                differences.Add(new Difference(i, image.Cases[i], Describe(i, image.Cases[i], fields)));
        }

        return differences;
    }

    /// <summary>The first of the differences in words, after how many there are for each instruction that starts a case (or CSR).</summary>
    public static string Report(IReadOnlyList<Difference> differences, string expected, string actual)
    {
        var kinds = differences.GroupBy(d => Kind(d.Case.Listing[0].Word), StringComparer.Ordinal).OrderByDescending(g => g.Count()).Take(40);
        return $"""
            {differences.Count} cases differ; {expected} on the left, {actual} on the right
            by first instruction: {string.Join(", ", kinds.Select(k => $"{k.Key} {k.Count()}"))}
            {string.Join('\n', differences.Take(OracleOptions.Shown).Select(d => d.Words))}
            """;
    }

    /// <summary>Cases whose instruction should run, but which the machine calls illegal: they would test nothing.</summary>
    public static List<string> Illegal(GuestImage image, byte[] memory)
    {
        var found = new List<string>();
        for (var i = 0; i < image.Cases.Count; i++)
        {
            var record = memory.AsSpan(image.RecordOffset(i), CaseRecord.Size);
            if (image.Cases[i].IsLegal && Read(record, CaseRecord.TrapCount) > 0 && Read(record, CaseRecord.Traps) == 2)
                found.Add($"case {i} in {image.Cases[i].Mode} mode: {image.Cases[i].Text}");
        }

        return found;
    }

    public static ulong Read(ReadOnlySpan<byte> record, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(record[offset..]);

    private static string Kind(uint word) => InstructionTable.Decode(word) switch
    {
        null => "no instruction",
        { Extension: "Zicsr" } => CsrNames.Of((int)(word >> 20)),
        var instruction => instruction.Name,
    };

    private static List<string> Fields(OracleCase item, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        var fields = new List<string>();
        var mask = IsDirtyImprecise(item, expected) && IsDirtyImprecise(item, actual) ? ~FloatStatus : ~0ul;
        for (var offset = 0; offset < CaseRecord.Size; offset += 8)
        {
            var (left, right) = (Read(expected, offset), Read(actual, offset));
            var different = (left ^ right) & (IsStatus(offset) ? mask : ~0ul);
            if (different != 0)
                fields.Add($"    {Name(offset)}: 0x{left:x} | 0x{right:x}");
        }

        return fields;
    }

    // Whether mstatus.FS may say dirty or not after comparisons and conversions to integers that raise no new flag. QEMU 11.1 says dirty
    // if any sticky flag of its arithmetic has changed, and it has more of these than fflags: one for a subnormal operand, for example.
    private static bool IsDirtyImprecise(OracleCase item, ReadOnlySpan<byte> record)
    {
        if ((item.Status >> 13 & 3) is 0 or 3)
            return false;
        var reading = item.Listing.Any(l => InstructionTable.Decode(l.Word) is { Format.Name: "FCompare" or "FToXRound" or "FToX" });
        return reading && (item.Listing.Count > 1 || Read(record, CaseRecord.Fcsr) == item.Fcsr);
    }

    private static bool IsStatus(int offset) =>
        offset == CaseRecord.Status || (offset >= CaseRecord.Traps && offset < TrapsEnd && (offset - CaseRecord.Traps) % CaseRecord.TrapSize == 24);

    private static string Describe(int index, OracleCase item, IEnumerable<string> fields)
    {
        var lines = new List<string> { $"case {index} (seed 0x{item.Seed:x}, {item.Mode} mode, fcsr 0x{item.Fcsr:x}, mstatus 0x{item.Status:x}): {item.Text}" };
        lines.AddRange(fields);
        var read = item.Listing.Count == 1 && InstructionTable.Decode(item.Listing[0].Word) is { } instruction
            ? instruction.Format.Operands.Where(o => o.Kind is not (OperandKind.Immediate or OperandKind.Rounding or OperandKind.Csr)).Select(o => o.Text(item.Listing[0].Word).Trim('(', ')')).Distinct(StringComparer.Ordinal)
            : [];
        foreach (var name in read)
            lines.Add($"    {name} was 0x{(name[0] == 'x' ? item.X : item.F)[int.Parse(name.AsSpan(1))]:x}");
        return string.Join('\n', lines.Take(24));
    }

    private static string Name(int offset) => offset switch
    {
        >= CaseRecord.Scratch => $"memory +{offset - CaseRecord.Scratch}",
        >= CaseRecord.Traps and < TrapsEnd =>
            $"trap {(offset - CaseRecord.Traps) / CaseRecord.TrapSize} {((offset - CaseRecord.Traps) % CaseRecord.TrapSize) switch { 0 => "cause", 8 => "value", 16 => "pc, from the case's start", _ => "mstatus" }}",
        CaseRecord.TrapCount => "count of traps",
        CaseRecord.TrapHash => "hash of all traps",
        CaseRecord.Status => "mstatus",
        CaseRecord.Fcsr => "fcsr",
        >= CaseRecord.F and < CaseRecord.Fcsr => $"f{(offset - CaseRecord.F) / 8}",
        < CaseRecord.F => $"x{offset / 8}",
        _ => $"record +{offset}",
    };
}
