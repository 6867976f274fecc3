using System.Text;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Reads a stream and writes down what it was made of, raw bytes in one piece however they were split.</summary>
public static class Transcript
{
    /// <param name="step">Bytes that each try of the reader is given more than the one before; 0 for everything at once.</param>
    public static List<string> Read(ReadOnlySpan<byte> stream, int step, StreamReadMode mode = StreamReadMode.Whole, ISectionLengths? lengths = null, int fileOffset = 0)
    {
        var reader = new MigrationStreamReader(mode) { Lengths = lengths, FileOffset = fileOffset };
        var lines = new List<string>();
        var raw = new StringBuilder();
        var at = 0;
        var visible = step == 0 ? stream.Length : 0;
        while (true)
        {
            var final = visible == stream.Length;
            if (reader.Read(stream[at..visible], final, out var element, out _))
            {
                at += (int)element.Length;
                Append(lines, raw, element, reader);
                continue;
            }

            if (final)
                break;
            visible = Math.Min(stream.Length, visible + step);
        }

        Flush(lines, raw);
        return lines;
    }

    private static void Append(List<string> lines, StringBuilder raw, in StreamElement element, MigrationStreamReader reader)
    {
        if (element.Kind is StreamElementKind.SectionData or StreamElementKind.VmDescriptionData or StreamElementKind.PackagedData or StreamElementKind.MappedRamData)
        {
            raw.Append(Convert.ToHexString(element.Payload));
            return;
        }

        Flush(lines, raw);
        var about = element.Kind switch
        {
            StreamElementKind.SectionStart => $"{reader.Section}",
            StreamElementKind.Configuration => $"{reader.Configuration} {string.Join(',', reader.Configuration!.Capabilities ?? [])}",
            StreamElementKind.Command => element.Command.QemuName(),
            _ => "",
        };
        lines.Add($"{element.Offset} {element.Length} {element.Kind} {about} {element.Block?.Name} {element.PageOffset:x} {element.Flags} {Convert.ToHexString(element.Payload)}");
    }

    private static void Flush(List<string> lines, StringBuilder raw)
    {
        if (raw.Length > 0)
            lines.Add($"raw {raw}");
        raw.Clear();
    }
}
