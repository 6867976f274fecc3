using Godwit.Cli.Migrate;

namespace Godwit.Cli.Tests.Migrate;

public sealed class ConvergenceTests
{
    private static readonly MigrationBounds Usual = new(300, 128 << 20);

    [Fact]
    public void The_first_round_says_nothing()
    {
        var verdict = Judge(Rounds(1, 10_000, 0, 5000));

        Assert.Equal(ConvergenceKind.Unknown, verdict.Kind);
        Assert.StartsWith("first round", verdict.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30_000, 10_000, nameof(ConvergenceKind.Converges))]
    [InlineData(30_000, 29_000, nameof(ConvergenceKind.DoesNotConverge))]
    [InlineData(30_000, 60_000, nameof(ConvergenceKind.DoesNotConverge))]
    public void What_is_dirtied_is_set_against_what_is_sent(int sent, int dirtied, string kind)
    {
        Assert.Equal(kind, Judge(Rounds(1, sent, 0, 5000), Rounds(4, sent, dirtied, 5000)).Kind.ToString());
    }

    [Fact]
    public void The_first_rounds_untouched_zero_pages_do_not_make_it_look_fast()
    {
        var verdict = Judge(Rounds(1, 900_000, 0, 5000), Rounds(4, 20_000, 40_000, 5000));

        Assert.Equal(ConvergenceKind.DoesNotConverge, verdict.Kind);
    }

    /// <summary>Zero pages cost hardly a byte, so that bytes would say that far more is dirtied than sent.</summary>
    [Fact]
    public void A_guest_that_dirties_zero_pages_converges_all_the_same()
    {
        var samples = Rounds(4, 100_000, 20_000, 5000).Select(s => s with { Mbps = 7, Transferred = s.Pages * 9 });

        Assert.Equal(ConvergenceKind.Converges, Judge(samples.ToList()).Kind);
    }

    [Fact]
    public void Within_the_downtime_limit_it_is_about_to_switch()
    {
        Assert.Equal(ConvergenceKind.Switches, Judge(Rounds(1, 30_000, 0, 5000), Rounds(4, 30_000, 10_000, 120)).Kind);
    }

    [Fact]
    public void After_a_parameter_changes_only_newer_rounds_count()
    {
        var convergence = new Convergence();
        var slow = Rounds(5, 10_000, 20_000, 5000);
        slow.ForEach(s => convergence.Add(s, Usual));
        var wide = Usual with { MaxBandwidth = 0 };
        var last = slow[^1];
        var fast = Rounds(3, 100_000, 20_000, 5000)
            .ConvertAll(s => s with { At = s.At + last.At, Pages = s.Pages + last.Pages, Round = s.Round + last.Round - 1 });

        var verdicts = fast.ConvertAll(s => convergence.Add(s, wide));

        Assert.Equal(ConvergenceKind.Unknown, verdicts[0].Kind);
        Assert.DoesNotContain(verdicts, v => v.Kind == ConvergenceKind.DoesNotConverge);
        Assert.Equal(ConvergenceKind.Converges, verdicts[^1].Kind);
        Assert.Equal(100_000, convergence.Throughput, 1.0);
    }

    [Fact]
    public void What_would_help_is_said()
    {
        var samples = Rounds(4, 30_000, 60_000, 5000).ConvertAll(s => s with { Mbps = 1070 });

        var text = Judge(Rounds(1, 30_000, 0, 5000), samples).Text;

        Assert.Contains("raise max-bandwidth (now 128 MiB/s)", text, StringComparison.Ordinal);
        Assert.Contains("downtime-limit 5000 (now 300) ms", text, StringComparison.Ordinal);
        Assert.Contains("auto-converge", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', text);
    }

    /// <summary>Figures that go up and down around a bound don't change what is said; such as leave it behind do, once.</summary>
    [Theory]
    [InlineData(20_000, 5000, 27_500, 29_500, 5000, 5000, nameof(ConvergenceKind.Converges))]
    [InlineData(40_000, 5000, 27_500, 29_500, 5000, 5000, nameof(ConvergenceKind.DoesNotConverge))]
    [InlineData(20_000, 250, 20_000, 20_000, 260, 350, nameof(ConvergenceKind.Switches))]
    [InlineData(20_000, 5000, 32_000, 32_000, 5000, 5000, nameof(ConvergenceKind.Converges), nameof(ConvergenceKind.DoesNotConverge))]
    [InlineData(40_000, 5000, 25_000, 25_000, 5000, 5000, nameof(ConvergenceKind.DoesNotConverge), nameof(ConvergenceKind.Converges))]
    [InlineData(20_000, 250, 20_000, 20_000, 400, 400, nameof(ConvergenceKind.Switches), nameof(ConvergenceKind.Converges))]
    public void Around_a_bound_what_was_said_last_stays(int dirtiedFirst, int downtimeFirst, int dirtied, int dirtiedNext, int downtime, int downtimeNext, params string[] kinds)
    {
        const int Sent = 30_000, Alternations = 6;
        var convergence = new Convergence();
        var said = new List<string>();
        var samples = Rounds(4, Sent, dirtiedFirst, downtimeFirst);
        for (var i = 0; i < Alternations; i++)
        {
            var (rate, expected) = i % 2 == 0 ? (dirtied, downtime) : (dirtiedNext, downtimeNext);
            var last = samples[^1];
            samples.AddRange(Rounds(1, Sent, rate, expected).Select(s => s with { At = s.At + last.At, Pages = s.Pages + last.Pages, Round = s.Round + last.Round }));
        }

        foreach (var kind in samples.Select(s => convergence.Add(s, Usual).Kind).Where(k => k != ConvergenceKind.Unknown))
        {
            if (said.Count == 0 || said[^1] != kind.ToString())
                said.Add(kind.ToString());
        }

        Assert.Equal(kinds, said);
    }

    /// <summary>Rounds of a second each, ten samples a round; they begin where the first round would, or after it.</summary>
    private static List<MigrationSample> Rounds(int count, long sentRate, long dirtyRate, long expectedDowntime) =>
        Enumerable.Range(0, count * 10).Select(i => new MigrationSample(TimeSpan.FromMilliseconds((i + 1) * 100), "active")
        {
            Round = 1 + (i / 10),
            Pages = (i + 1) * sentRate / 10,
            DirtyRate = dirtyRate,
            ExpectedDowntime = expectedDowntime,
        }).ToList();

    private static Verdict Judge(params List<MigrationSample>[] parts)
    {
        var convergence = new Convergence();
        var verdict = default(Verdict);
        var before = new MigrationSample(TimeSpan.Zero, "setup");
        foreach (var part in parts)
        {
            foreach (var sample in part)
                verdict = convergence.Add(sample with { At = sample.At + before.At, Pages = sample.Pages + before.Pages, Round = sample.Round + before.Round }, Usual);
            before = before with { At = before.At + part[^1].At, Pages = before.Pages + part[^1].Pages, Round = before.Round + part[^1].Round };
        }

        return verdict;
    }
}
