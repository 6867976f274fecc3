using Godwit.Migration.Control;
using Godwit.Migration.Source;

namespace Godwit.Migration.Tests;

/// <summary>Bandwidth and downtime, by a clock that stands until it is told.</summary>
public sealed class PaceTests
{
    private const long MiB = 1 << 20;

    private readonly RamCounters _counters = new();
    private long _now = 1000;

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(20, 4096)]
    [InlineData(128, 65536)]
    public void No_more_is_sent_than_the_bandwidth_allows_and_hardly_less(int mebibytes, int piece)
    {
        var parameters = new Parameters { MaxBandwidth = (ulong)(mebibytes * MiB) };
        var pace = new Pace(_counters, () => _now);
        var position = 0L;
        var sentInMillisecond = 0L;
        const int Seconds = 10;
        var end = _now + Seconds * 1000;
        while (_now < end)
        {
            if (position < pace.Limit(parameters))
            {
                position += piece;
                sentInMillisecond += piece;
                // A link that takes 400 MiB a second.
                for (; sentInMillisecond >= 400 * MiB / 1000; sentInMillisecond -= 400 * MiB / 1000)
                    _now++;
            }

            pace.Update(position, parameters);
            if (position >= pace.Limit(parameters))
                _now += Math.Max(pace.Left, 1);
        }

        var allowed = mebibytes * MiB * Seconds;
        Assert.InRange(position, allowed * 98 / 100, allowed + (piece * Seconds * 10) + (mebibytes * MiB / 10));
        Assert.InRange(_counters.Mbps, mebibytes * 8.0 * 1.04, mebibytes * 8.0 * 1.06 + (piece * 80.0 / 1e6));
    }

    [Fact]
    public void Without_a_limit_there_is_none() => Assert.Equal(long.MaxValue, new Pace(_counters, () => _now).Limit(new Parameters { MaxBandwidth = 0 }));

    [Fact]
    public void What_goes_within_the_downtime_is_reckoned_from_what_went()
    {
        var pace = new Pace(_counters, () => _now);
        var parameters = new Parameters { DowntimeLimit = 300 };
        Assert.Equal(0, pace.Threshold);

        _now += 99;
        pace.Update(1_000_000, parameters);
        Assert.Equal((0, 1), (pace.Threshold, pace.Left));

        _now += 26;
        pace.Update(1_000_000, parameters);
        Assert.Equal(8000 * 290, pace.Threshold);

        _now += 100;
        pace.Update(1_000_000 + 200_000, parameters);
        Assert.Equal(2000 * 290, pace.Threshold);

        _now += 100;
        pace.Update(1_200_000, parameters);
        Assert.Equal(0, pace.Threshold);
    }

    [Fact]
    public void A_bandwidth_that_is_told_is_believed()
    {
        var pace = new Pace(_counters, () => _now);
        _now += 100;
        pace.Update(1_000_000, new Parameters { DowntimeLimit = 20, AvailSwitchoverBandwidth = 5_000_000 });
        Assert.Equal(5000 * 16, pace.Threshold);
    }

    [Fact]
    public void The_downtime_to_be_expected_is_that_of_what_was_dirty()
    {
        var pace = new Pace(_counters, () => _now);
        _counters.DirtyBytesAtSync = 3_000_000;

        // Nothing is known of how fast memory is dirtied; then too little was sent to tell.
        _now += 100;
        pace.Update(1_000_000, new Parameters());
        _counters.DirtyPagesRate = 100;
        _now += 100;
        pace.Update(1_005_000, new Parameters());
        Assert.Equal(0, pace.ExpectedDowntime);

        _now += 100;
        pace.Update(2_005_000, new Parameters());
        Assert.Equal(300, pace.ExpectedDowntime);
    }

    [Fact]
    public void Pages_are_counted_by_the_second()
    {
        var pace = new Pace(_counters, () => _now);
        _counters.Normal = 30;
        _counters.Duplicate = 70;
        _now += 200;
        pace.Update(1, new Parameters());
        Assert.Equal(500, _counters.PagesPerSecond);
    }
}
