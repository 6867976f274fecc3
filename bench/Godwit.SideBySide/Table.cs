using System.Globalization;

namespace Godwit.SideBySide;

/// <summary>Figures of two contenders, a row a thing that was measured, each over rounds in which they took turns.</summary>
internal sealed class Table(string title, string ours, string theirs, bool higherIsBetter)
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, List<(double Ours, double Theirs)>> _rows = new(StringComparer.Ordinal);

    /// <summary>Round 0 warms up and isn't counted.</summary>
    public void Add(string name, int round, double mine, double other)
    {
        if (round == 0)
            return;
        if (!_rows.TryGetValue(name, out var row))
        {
            _rows[name] = row = [];
            _names.Add(name);
        }

        row.Add((mine, other));
    }

    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine($"{title}:");
        Console.WriteLine($"  {"",-16} {ours,28} {theirs,28} {"times as fast",26}");
        foreach (var name in _names)
        {
            var row = _rows[name];
            var ratios = row.Select(r => higherIsBetter ? r.Ours / r.Theirs : r.Theirs / r.Ours);
            Console.WriteLine($"  {name,-16} {Spread(row.Select(r => r.Ours)),28} {Spread(row.Select(r => r.Theirs)),28} {Spread(ratios),26}");
        }
    }

    private static string Spread(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{Show(sorted[sorted.Count / 2])} ({Show(sorted[0])} to {Show(sorted[^1])})");
    }

    private static string Show(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
