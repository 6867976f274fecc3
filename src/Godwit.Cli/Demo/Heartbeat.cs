using System.Globalization;

namespace Godwit.Cli.Demo;

/// <summary>A line of the heartbeat guest: what it has counted, written, checked and found wrong.</summary>
/// <param name="Time">Guest time, in ticks of 100 ns.</param>
internal sealed record Heartbeat(long Beat, long Writes, long Checks, long Errors, long Time, string Line)
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

        return values.TryGetValue("beat", out var beat) && values.TryGetValue("writes", out var writes) && values.TryGetValue("checks", out var checks)
            && values.TryGetValue("errors", out var errors) && values.TryGetValue("time", out var time)
            ? new Heartbeat(beat, writes, checks, errors, time, line)
            : null;
    }

    public static Heartbeat? Last(IEnumerable<string> lines) => lines.Select(Parse).LastOrDefault(b => b is not null);
}
