using System.Globalization;

namespace Godwit.SideBySide;

/// <summary>Seconds of several contenders that took turns, and how many times as fast each was as one of them, round by round.</summary>
internal sealed class Field(string title, string reference)
{
    private readonly List<(string Name, List<double> Seconds)> _rows = [];

    /// <summary>Round 0 warms up and isn't counted.</summary>
    public void Add(string name, int round, double seconds)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  round {round}: {name}: {seconds:0.000} s"));
        if (round == 0)
            return;
        var row = _rows.Find(r => string.Equals(r.Name, name, StringComparison.Ordinal));
        if (row.Seconds is null)
            _rows.Add(row = (name, []));
        row.Seconds.Add(seconds);
    }

    /// <param name="bytes">What was moved, for the rate.</param>
    public void Print(long bytes)
    {
        var other = _rows.Find(r => string.Equals(r.Name, reference, StringComparison.Ordinal)).Seconds;
        Console.WriteLine();
        Console.WriteLine($"{title}, {other.Count} rounds: median (min to max):");
        Console.WriteLine($"  {"",-20} {"seconds",26} {"GB/s",8} {"times as fast",26}");
        foreach (var (name, seconds) in _rows)
        {
            var rate = (bytes / Median(seconds) / 1e9).ToString("0.00", CultureInfo.InvariantCulture);
            Console.WriteLine($"  {name,-20} {Spread(seconds),26} {rate,8} {Spread(seconds.Select((s, i) => other[i] / s)),26}");
        }

        Console.WriteLine();
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static string Spread(IEnumerable<double> values) =>
        string.Create(CultureInfo.InvariantCulture, $"{Median(values):0.00} ({values.Min():0.00} to {values.Max():0.00})");
}
