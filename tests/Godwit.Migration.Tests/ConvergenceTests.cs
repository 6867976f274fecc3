using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.Source;

namespace Godwit.Migration.Tests;

/// <summary>When the guest is held back, and how much. Most by a clock that stands until it is told.</summary>
public sealed class ConvergenceTests : IDisposable
{
    private const long Period = 1001;
    private const long Sent = 1 << 20;

    private readonly TestMachine _machine = new(64);
    private readonly Channel _channel = ChannelConnector.Connect(MigrationUri.Parse("file:/dev/null"), returnPath: false);
    private readonly StreamOutput _output;
    private readonly RamSource _ram;
    private readonly Capabilities _capabilities = new();
    private long _now = 5000;
    private long _position;

    public ConvergenceTests()
    {
        _output = new StreamOutput(_channel);
        _ram = new RamSource(_machine, _output, 1, ignoreShared: false, cache: null, new RamCounters(), new Parameters(), multifd: null);
    }

    public void Dispose()
    {
        _ram.Dispose();
        _output.Dispose();
        _channel.Dispose();
        _machine.Dispose();
    }

    [Fact]
    public void Auto_converge_holds_back_more_and_more_at_every_second_period_up_to_the_most()
    {
        var convergence = Convergence("auto-converge");
        var parameters = new Parameters { MaxCpuThrottle = 45 };
        for (var i = 0; i < 10; i++)
            Round(convergence, parameters, dirtied: Sent);
        Assert.Equal(45, convergence.Percent);
        convergence.End();
        Assert.Equal(["throttle 20", "throttle 30", "throttle 40", "throttle 45", "throttle 45", "throttle 0"], _machine.Calls);
        Assert.Equal(0, convergence.Percent);
    }

    [Fact]
    public void A_guest_that_dirties_less_than_the_threshold_runs_freely()
    {
        var convergence = Convergence("auto-converge");
        for (var i = 0; i < 10; i++)
            Round(convergence, new Parameters { ThrottleTriggerThreshold = 50 }, dirtied: Sent / 2);
        convergence.End();
        Assert.Empty(_machine.Calls);
    }

    [Fact]
    public void Within_a_period_nothing_is_judged()
    {
        var convergence = Convergence("auto-converge");
        for (var i = 0; i < 10; i++)
            Round(convergence, new Parameters(), dirtied: Sent, time: 99);
        Assert.Empty(_machine.Calls);
        Assert.Equal(0, _ram.Counters.DirtyPagesRate);
    }

    [Fact]
    public void Tailslow_adds_no_more_than_would_do()
    {
        var convergence = Convergence("auto-converge");
        var parameters = new Parameters { CpuThrottleTailslow = true, CpuThrottleInitial = 50, CpuThrottleIncrement = 20 };
        // The guest dirties 5/4 of the threshold: a fifth less of its time would do, and that is 10 of 50.
        for (var i = 0; i < 4; i++)
            Round(convergence, parameters, dirtied: Sent / 2 * 5 / 4);
        Assert.Equal(["throttle 50", "throttle 60"], _machine.Calls);
    }

    [Fact]
    public void Without_capability_nobody_is_held_back()
    {
        var convergence = Convergence();
        for (var i = 0; i < 10; i++)
            Round(convergence, new Parameters(), dirtied: Sent);
        Assert.Empty(_machine.Calls);
    }

    [Fact]
    public void Dirty_limit_allows_the_share_of_time_that_makes_the_rate()
    {
        var convergence = Convergence("dirty-limit");
        var parameters = new Parameters { VcpuDirtyLimit = 2 };
        // 8 MiB a second freely: 2 of them are a quarter of the time.
        Round(convergence, parameters, dirtied: 8 << 20, time: 2000);
        Round(convergence, parameters, dirtied: 16 << 20, time: 2000);
        Assert.Equal(75, convergence.Percent);
        // 4 MiB a second in a quarter of the time would be 16 in all of it.
        Round(convergence, parameters, dirtied: 8 << 20, time: 2000);
        Round(convergence, parameters, dirtied: 8 << 20, time: 2000);
        Assert.Equal(88, convergence.Percent);
        convergence.End();
        Assert.Equal(["throttle 75", "throttle 88", "throttle 0"], _machine.Calls);
    }

    [Fact]
    public void The_rate_is_in_pages_a_second()
    {
        var convergence = Convergence();
        Round(convergence, new Parameters(), dirtied: 300 * 4096, time: 1500);
        Assert.Equal(200, _ram.Counters.DirtyPagesRate);
    }

    [Theory]
    [InlineData("auto-converge", "throttle 99")]
    [InlineData("dirty-limit", "throttle ")]
    public void A_guest_that_is_too_fast_comes_over_all_the_same(string capability, string throttled)
    {
        using var pair = new MachinePair(pages: 4096);
        pair.Source.AlwaysStored = 256;
        pair.Set(capability, "return-path");
        pair.From.Parameters = new Parameters { MaxBandwidth = 4 << 20, DowntimeLimit = 10, CpuThrottleInitial = 99, VcpuDirtyLimit = 1 };

        pair.Run();

        Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        Assert.StartsWith(throttled, pair.Source.Calls[0], StringComparison.Ordinal);
        Assert.Equal(["stop", "throttle 0", "hand over"], pair.Source.Calls[^3..]);
        LiveSectionTests.AssertMemory(pair);
    }

    [Fact]
    public void Cancelled_it_runs_freely_again()
    {
        using var pair = new MachinePair(pages: 4096);
        pair.Source.AlwaysStored = 256;
        pair.Set("auto-converge");
        pair.From.Parameters = new Parameters { MaxBandwidth = 4 << 20, DowntimeLimit = 10 };
        pair.Source.OnThrottle = pair.From.Cancel;

        pair.Run();

        Assert.Equal(["throttle 20", "throttle 0"], pair.Source.Calls);
        Assert.True(pair.Source.Runs);
    }

    private Convergence Convergence(params string[] capabilities)
    {
        _capabilities.Set(capabilities.Select(c => KeyValuePair.Create(c, true)));
        return new Convergence(_machine, _ram, _capabilities, () => _now);
    }

    private void Round(Convergence convergence, Parameters parameters, long dirtied, long time = Period)
    {
        _now += time;
        _position += Sent;
        _ram.DirtiedInPeriod = dirtied / 4096;
        convergence.AfterSynchronization(_position, parameters);
    }
}
