using Spectre.Console;

namespace Godwit.Cli.Output;

/// <summary>A table: in colour and with rules on a terminal, in plain columns where it is piped.</summary>
internal sealed class TextTable
{
    private readonly string _title;
    private readonly (string Name, bool Right)[] _columns;
    private readonly List<string[]> _rows = [];

    /// <param name="columns">Names; one that begins with <c>&gt;</c> is aligned to the right.</param>
    public TextTable(string title, params string[] columns)
    {
        _title = title;
        _columns = Array.ConvertAll(columns, c => (c.TrimStart('>'), c.StartsWith('>')));
    }

    public void Row(params string[] cells) => _rows.Add(cells);

    public void Print(TextWriter output, bool terminal)
    {
        if (terminal)
            PrintRich();
        else
            PrintPlain(output);
    }

    private bool Headless => Array.TrueForAll(_columns, c => c.Name.Length == 0);

    private void PrintRich()
    {
        var table = new Table
        {
            ShowHeaders = !Headless,
            Border = TableBorder.Rounded,
            Title = new TableTitle(Markup.Escape(_title), Style.Parse("bold")),
        };
        foreach (var (name, right) in _columns)
            table.AddColumn(new TableColumn($"[bold deepskyblue1]{Markup.Escape(name)}[/]") { Alignment = right ? Justify.Right : Justify.Left, NoWrap = right });
        foreach (var row in _rows)
            table.AddRow(Array.ConvertAll(row, Markup.Escape));
        AnsiConsole.Write(table);
    }

    private void PrintPlain(TextWriter output)
    {
        var widths = _columns.Select((c, i) => _rows.Select(r => r[i].Length).Append(c.Name.Length).Max()).ToArray();
        output.WriteLine(_title);
        if (!Headless)
            Line(Array.ConvertAll(_columns, c => c.Name));
        foreach (var row in _rows)
            Line(row);
        output.WriteLine();

        void Line(string[] cells)
        {
            var padded = cells.Select((cell, i) => _columns[i].Right ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            output.WriteLine($"  {string.Join("  ", padded).TrimEnd()}");
        }
    }
}
