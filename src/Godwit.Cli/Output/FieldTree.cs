using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Wire.VmState;
using Spectre.Console;

namespace Godwit.Cli.Output;

/// <summary>The fields of devices, as a tree.</summary>
internal static class FieldTree
{
    private const int MaxText = 64;

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
        var text = value.Text is { Length: > MaxText } ? $"{value.Text[..MaxText]}… ({value.Length} bytes)" : value.Text;
        if (Terminal.OutputIsTerminal)
            AnsiConsole.MarkupLine($"{indent}{(value.IsSubsection ? "[yellow]" : "[deepskyblue1]")}{Markup.Escape(value.Name)}[/] [grey]{Markup.Escape(value.Type)} +{value.Offset}[/] {Markup.Escape(text ?? "")}");
        else
            Console.Out.WriteLine($"{indent}{value.Name}  {value.Type}  +{value.Offset}{(text is null ? "" : "  " + text)}");
        if (IsPlainArray(value))
            return;
        foreach (var child in value.Children)
            Print(child, depth + 1);
    }

    /// <summary>An array of zeros says so in its own line.</summary>
    private static bool IsPlainArray(VmValue value)
    {
        if (value.Children.Count < 4 || value.Children.Any(c => c.Text is null || c.Text != value.Children[0].Text))
            return false;
        Console.Out.WriteLine($"{new string(' ', 6)}… all {value.Children.Count} are {value.Children[0].Text}");
        return true;
    }
}
