using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Wire.VmState;
using Spectre.Console;

namespace Godwit.Cli.Output;

/// <summary>The fields of devices, as a tree.</summary>
internal static class FieldTree
{
    private const int MaxText = 64;
    private const int MaxElement = 18;
    private const int ElementsInRow = 4;

    public static void Print(StreamFile file, IReadOnlyList<SectionReport> sections)
    {
        foreach (var section in sections)
        {
            var decoded = DeviceDecoder.Decode(file, section);
            var header = section.Header;
            var title = $"{header.Label}  version {header.VersionId}, {section.Length} bytes at {section.BodyOffset}";
            if (Terminal.OutputIsTerminal)
                AnsiConsole.MarkupLine($"[bold]{Markup.Escape(title)}[/]");
            else
                Console.Out.WriteLine(title);
            foreach (var value in decoded.Fields)
                Print(value, 1);
            if (decoded.Break is not null)
                Terminal.Error($"the fields break off {decoded.Break}");
        }
    }

    private static void Print(VmValue value, int depth)
    {
        var indent = new string(' ', depth * 2);
        value = value with { Name = Terminal.Plain(value.Name), Type = Terminal.Plain(value.Type) };
        var text = value.Text is { Length: > MaxText } ? $"{value.Text[..MaxText]}… ({value.Length} bytes)" : value.Text;
        if (Terminal.OutputIsTerminal)
            AnsiConsole.MarkupLine($"{indent}{(value.IsSubsection ? "[yellow]" : "[deepskyblue1]")}{Markup.Escape(value.Name)}[/] [grey]{Markup.Escape(value.Type)} +{value.Offset}[/] {Markup.Escape(text ?? "")}");
        else
            Console.Out.WriteLine($"{indent}{value.Name}  {value.Type}  +{value.Offset}{(text is null ? "" : "  " + text)}");
        if (value.Children.Count > 1 && value.Children.All(c => c.Text is { Length: <= MaxElement } && !c.IsSubsection) && value.Children[0].Name.EndsWith("[0]", StringComparison.Ordinal))
            PrintElements(value.Children, indent + "  ");
        else
            Array.ForEach([.. value.Children], child => Print(child, depth + 1));
    }

    /// <summary>Plain elements stand in rows, each row after the index of its first; rows that repeat the one before are left out.</summary>
    private static void PrintElements(IReadOnlyList<VmValue> elements, string indent)
    {
        string? last = null;
        var repeats = false;
        for (var i = 0; i < elements.Count; i += ElementsInRow)
        {
            var row = string.Join(' ', elements.Skip(i).Take(ElementsInRow).Select(e => e.Text));
            if (row != last)
                Console.Out.WriteLine($"{indent}[{i}] {row}");
            else if (!repeats)
                Console.Out.WriteLine($"{indent}*");
            repeats = row == last;
            last = row;
        }
    }
}
