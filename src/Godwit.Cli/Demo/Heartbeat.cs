using System.Globalization;

namespace Godwit.Cli.Demo;

/// <summary>A line of the heartbeat guest: what it has counted, written, checked and found wrong.</summary>
/// <param name="Passes">Times that all pages it rewrites were compared.</param>
/// <param name="FillPasses">The same for those it wrote once.</param>
/// <param name="Time">Guest time, in ticks of 100 ns.</param>
/// <param name="Gap">The longest time since the beat before in which it did nothing, by the board's calendar clock; microseconds.</param>
internal sealed record Heartbeat(long Beat, long Writes, long Checks, long Passes, long FillPasses, long Errors, long Time, long Gap)
{
    public static readonly string GuestPath = Path.Combine(AppContext.BaseDirectory, "guests", "heartbeat.elf");

    /// <returns>The beat, or null for another line.</returns>
    public static Heartbeat? Parse(string line)
    {
        if (!line.StartsWith("heartbeat beat=", StringComparison.Ordinal))
            return null;
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var word in line.Split(' ').Skip(1))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !long.TryParse(word.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                return null;
            values[word[..equals]] = value;
        }

        string[] names = ["beat", "writes", "checks", "passes", "fillpasses", "errors", "time", "gap"];
        return Array.TrueForAll(names, values.ContainsKey)
            ? new Heartbeat(values["beat"], values["writes"], values["checks"], values["passes"], values["fillpasses"], values["errors"], values["time"], values["gap"])
            : null;
    }
}
