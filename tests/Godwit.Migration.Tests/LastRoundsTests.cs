using Godwit.Migration.Control;
using Godwit.Migration.Source;

namespace Godwit.Migration.Tests;

/// <summary>A link of 1000 bytes a millisecond: 290000 go within the downtime allowed, 10000 are short.</summary>
public sealed class LastRoundsTests
{
    private const int Allowed = 290_000;
    private const int Short = 10_000;

    private readonly LastRounds _rounds;

    public LastRoundsTests()
    {
        var now = 0L;
        var pace = new Pace(new RamCounters(), () => now);
        now = 100;
        pace.Update(100_000, new Parameters { DowntimeLimit = 300 });
        _rounds = new LastRounds(pace);
    }

    [Theory]
    [InlineData(0, false, true, true)]
    [InlineData(Short - 1, false, true, true)]
    [InlineData(Short, false, true, false)]
    [InlineData(Allowed - 1, false, true, false)]
    // Nothing of memory is left: a device's may never get shorter.
    [InlineData(Allowed - 1, true, true, true)]
    [InlineData(Allowed, true, true, false)]
    [InlineData(Allowed - 1, false, false, true)]
    [InlineData(Allowed, false, false, false)]
    public void A_round_is_over(double pending, bool allSent, bool guestRuns, bool over) => Assert.Equal(over, _rounds.IsRoundOver(pending, allSent, guestRuns));

    [Fact]
    public void Rounds_go_on_while_each_leaves_clearly_less()
    {
        Assert.False(_rounds.IsEnough(200_000, guestRuns: true));
        Assert.False(_rounds.IsEnough(100_000, guestRuns: true));
        Assert.False(_rounds.IsEnough(50_000, guestRuns: true));
        Assert.True(_rounds.IsEnough(40_000, guestRuns: true));
    }

    [Fact]
    public void What_is_short_is_enough() => Assert.True(_rounds.IsEnough(Short - 1, guestRuns: true));

    [Fact]
    public void What_does_not_fit_is_never_enough()
    {
        for (var n = 0; n < 100; n++)
            Assert.False(_rounds.IsEnough(Allowed, guestRuns: true));
        Assert.False(_rounds.IsEnough(Allowed * 0.5, guestRuns: true));
        Assert.True(_rounds.IsEnough(Allowed * 0.5, guestRuns: true));
    }

    [Fact]
    public void A_guest_that_stands_leaves_nothing_for_a_further_round() => Assert.True(_rounds.IsEnough(Allowed - 1, guestRuns: false));

    [Fact]
    public void There_is_an_end_to_them()
    {
        // A guest that dirties now little and now much, so that each second round seems to help.
        var rounds = 0;
        for (var pending = 200_000.0; !_rounds.IsEnough(pending, guestRuns: true); pending = pending < Allowed ? Allowed : 200_000)
            Assert.True(++rounds < 100);
        Assert.Equal(20, rounds);
    }

    [Fact]
    public void Nothing_is_known_of_the_link_yet()
    {
        var rounds = new LastRounds(new Pace(new RamCounters(), () => 0));
        Assert.False(rounds.IsRoundOver(1, allSent: true, guestRuns: true));
        Assert.True(rounds.IsRoundOver(0, allSent: true, guestRuns: true));
        Assert.False(rounds.IsEnough(1, guestRuns: true));
        Assert.True(rounds.IsEnough(0, guestRuns: true));
    }
}
