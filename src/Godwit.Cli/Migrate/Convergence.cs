using System.Globalization;
using Godwit.Cli.Output;

namespace Godwit.Cli.Migrate;

/// <summary>What bounds the migration (parameters <c>downtime-limit</c>, in milliseconds, and <c>max-bandwidth</c>, in bytes a second; 0: unbounded).</summary>
internal readonly record struct MigrationBounds(long DowntimeLimit, long MaxBandwidth);

internal enum ConvergenceKind
{
    Unknown,
    Converges,
    Switches,
    DoesNotConverge,
}

/// <param name="Text">One plain line.</param>
internal readonly record struct Verdict(ConvergenceKind Kind, string Text);

/// <summary>
/// Judges whether a migration comes to its end: what the guest dirties against what is sent, over the last rounds. Both in pages, for a
/// zero page is a page to send again, but hardly a byte; and without the first round, whose untouched zero pages go by faster than anything
/// that comes later. What was measured before the bounds or the guest's throttle changed says nothing about what follows, and is forgotten.
/// </summary>
internal sealed class Convergence
{
    private const int Rounds = 3;

    /// <summary>Dirtied against sent, below which it converges; and by how much that gives way to what was said last, as may the downtime limit, so that
    /// figures around them don't change what is said again and again.</summary>
    private const double Enough = 0.95;
    private const double Slack = 0.07;
    private const double DowntimeSlack = 0.25;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    private readonly List<MigrationSample> _samples = [];
    private MigrationBounds _bounds;
    private long _changedInRound = 1;
    private ConvergenceKind _last;

    public Verdict Add(MigrationSample sample, MigrationBounds bounds)
    {
        if (_samples.Count > 0 && (bounds != _bounds || sample.Throttle != _samples[^1].Throttle))
        {
            _changedInRound = sample.Round;
            _samples.Clear();
            _last = ConvergenceKind.Unknown;
        }

        _bounds = bounds;
        _samples.Add(sample);

        // What is older than the rounds that count goes, as long as enough time is left to measure over.
        while (_samples.Count > 1 && _samples[1].Round <= sample.Round - Rounds && sample.At - _samples[1].At >= Shortest)
            _samples.RemoveAt(0);
        var verdict = Judge(sample);
        if (verdict.Kind != ConvergenceKind.Unknown)
            _last = verdict.Kind;
        return verdict;
    }

    /// <summary>Pages a second, over the rounds that count; 0 while it can't be told.</summary>
    public double Throughput
    {
        get
        {
            var first = _samples.Find(s => s.Round >= 2);
            return first is null || _samples[^1].At - first.At < Shortest ? 0 : (_samples[^1].Pages - first.Pages) / (_samples[^1].At - first.At).TotalSeconds;
        }
    }

    private Verdict Judge(MigrationSample now)
    {
        if (now.Status is not "active")
            return new Verdict(ConvergenceKind.Unknown, now.Status switch { "setup" => "connecting", "device" => "the guest stands, its devices go over", _ => now.Status });
        if (now.Round < 2)
            return new Verdict(ConvergenceKind.Unknown, "first round: all of memory goes over once, then what the guest has dirtied meanwhile");

        // The machine's dirty rate is that of the round before the one that runs.
        if (Throughput <= 0 || now.DirtyRate == 0 || now.Round <= _changedInRound)
            return new Verdict(ConvergenceKind.Unknown, _changedInRound > 1 && now.Round <= _changedInRound ? "something was changed: measuring anew" : "measuring the dirty rate");
        var sent = Rate(Throughput * now.PageSize);
        var dirtied = Rate((double)now.DirtyRate * now.PageSize);
        var share = now.DirtyRate / Throughput;
        if (now.ExpectedDowntime is { } left && left <= _bounds.DowntimeLimit * (_last == ConvergenceKind.Switches ? 1 + DowntimeSlack : 1) && share < Enough + Slack)
            return new Verdict(ConvergenceKind.Switches, $"converges: what is left would take {left} ms, within downtime-limit {_bounds.DowntimeLimit} ms");
        var enough = Enough + (_last switch { ConvergenceKind.Unknown => 0, ConvergenceKind.DoesNotConverge => -Slack, _ => Slack });
        return share < enough
            ? new Verdict(ConvergenceKind.Converges, $"converges: the guest dirties {dirtied}, {sent} go over; each round is about {Percent(share)} of the one before")
            : new Verdict(ConvergenceKind.DoesNotConverge, $"does not converge: the guest dirties {dirtied}, only {sent} go over; {Advice(now)}");
    }

    private string Advice(MigrationSample now)
    {
        var advice = new List<string>();
        if (_bounds.MaxBandwidth > 0 && now.Mbps * 1e6 / 8 > 0.8 * _bounds.MaxBandwidth)
            advice.Add($"raise max-bandwidth (now {Rate(_bounds.MaxBandwidth)})");
        if (now.ExpectedDowntime is { } downtime && downtime > _bounds.DowntimeLimit)
            advice.Add($"allow downtime-limit {downtime} (now {_bounds.DowntimeLimit}) ms");
        if (now.Throttle == 0)
            advice.Add("switch auto-converge on");
        return advice.Count > 0 ? string.Join(" or ", advice) : $"the guest is throttled by {now.Throttle} %";
    }

    private static string Rate(double bytes) => $"{Units.Bytes(bytes)}/s";

    private static string Percent(double share) => $"{(share * 100).ToString("0", CultureInfo.InvariantCulture)} %";
}
