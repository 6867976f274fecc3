using System.Text;
using Spectre.Console;

namespace Godwit.Cli.Output;

/// <summary>A table: in colour and with rules on a terminal, in plain columns where it is piped.</summary>
internal sealed class TextTable
{
    private readonly string _title;
    private readonly Column[] _columns;
    private readonly List<string[]> _rows = [];

    /// <param name="columns">Names; one that begins with <c>&gt;</c> is aligned to the right.</param>
    public TextTable(string title, params string[] columns)
    {
        _title = title;
        _columns = Array.ConvertAll(columns, c => new Column(c.TrimStart('>'), c.StartsWith('>')));
    }

    private sealed record Column(string Name, bool Right);

    public void Row(params string[] cells) => _rows.Add(Array.ConvertAll(cells, Terminal.Plain));

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
        foreach (var column in _columns)
            table.AddColumn(new TableColumn($"[bold deepskyblue1]{Markup.Escape(column.Name)}[/]") { Alignment = column.Right ? Justify.Right : Justify.Left, NoWrap = true });
        foreach (var row in _rows)
            table.AddRow(Array.ConvertAll(row, Markup.Escape));
        AnsiConsole.Write(table);
    }

    private void PrintPlain(TextWriter output)
    {
        output.WriteLine(_title);
        var header = Array.ConvertAll(_columns, c => c.Name);
        var widths = Array.ConvertAll(header, h => h.Length);
        foreach (var row in _rows)
        {
            for (var i = 0; i < widths.Length; i++)
                widths[i] = Math.Max(widths[i], row[i].Length);
        }

        if (!Headless)
            PrintLine(output, header, widths);
        foreach (var row in _rows)
            PrintLine(output, row, widths);
        output.WriteLine();
    }

    private void PrintLine(TextWriter output, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
            line.Append("  ").Append(_columns[i].Right ? cells[i].PadLeft(widths[i]) : cells[i].PadRight(widths[i]));
        output.WriteLine(line.ToString().TrimEnd());
    }
}
