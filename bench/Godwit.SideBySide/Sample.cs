using System.Globalization;

namespace Godwit.SideBySide;

/// <summary>What one contender did in one round.</summary>
/// <param name="Memory">Peak resident memory of its process, in bytes; 0 where it wasn't taken.</param>
internal readonly record struct Sample(double Seconds, long Memory);

/// <summary>Rounds in which two contenders took turns, and their ratios pair by pair.</summary>
internal sealed class Comparison(string title, string ours, string theirs)
{
    private readonly List<(Sample Ours, Sample Theirs)> _rounds = [];

    public void Add(Sample ours, Sample theirs)
    {
        _rounds.Add((ours, theirs));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  round {_rounds.Count}: {ours.Seconds:0.000} s, {theirs.Seconds:0.000} s, {theirs.Seconds / ours.Seconds:0.00} times as fast"));
    }

    public void Print()
    {
        Console.WriteLine($"{title}, median of {_rounds.Count} rounds (min to max):");
        Console.WriteLine($"  {ours,-44} {Spread(_rounds.Select(r => r.Ours.Seconds))} s{Memory(_rounds.Select(r => r.Ours.Memory))}");
        Console.WriteLine($"  {theirs,-44} {Spread(_rounds.Select(r => r.Theirs.Seconds))} s{Memory(_rounds.Select(r => r.Theirs.Memory))}");
        Console.WriteLine($"  {"times as fast",-44} {Spread(_rounds.Select(r => r.Theirs.Seconds / r.Ours.Seconds))}");
        Console.WriteLine();
    }

    private static string Spread(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:0.000} ({sorted[0]:0.000} to {sorted[^1]:0.000})");
    }

    private static string Memory(IEnumerable<long> values) => values.Max() is > 0 and var most ? $", peak memory {most >> 20} MiB" : "";
}
