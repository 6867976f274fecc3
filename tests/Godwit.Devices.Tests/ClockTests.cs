using Godwit.Devices.Clock;

namespace Godwit.Devices.Tests;

public sealed class ClockTests : IDisposable
{
    private readonly VirtualClock _clock = new(new Lock());

    public void Dispose() => _clock.Dispose();

    [Fact]
    public void A_step_fires_what_is_due_in_order_each_at_its_time()
    {
        var fired = new List<(string Name, long At)>();
        var again = 0;
        ClockTimer? repeating = null;
        repeating = _clock.CreateTimer(() =>
        {
            fired.Add(("repeating", _clock.Now));
            if (++again < 2)
                repeating!.Set(_clock.Now + 100);
        });
        var once = _clock.CreateTimer(() => fired.Add(("once", _clock.Now)));
        var later = _clock.CreateTimer(() => fired.Add(("later", _clock.Now)));
        later.Set(1001);
        once.Set(150);
        repeating.Set(100);

        _clock.Step(1000);

        Assert.Equal([("repeating", 100), ("once", 150), ("repeating", 200)], fired);
        Assert.Equal(1000, _clock.Now);
        Assert.True(later.IsSet);
    }

    [Fact]
    public void A_clock_that_runs_cannot_be_stepped_and_goes_on_from_where_it_was_stopped()
    {
        _clock.Set(5_000_000_000);
        _clock.Start();
        Assert.Throws<InvalidOperationException>(() => _clock.Step(1));
        while (_clock.Now == 5_000_000_000)
            Thread.Yield();
        _clock.Stop();

        var stopped = _clock.Now;
        Assert.InRange(stopped, 5_000_000_001, long.MaxValue);
        Thread.Yield();
        Assert.Equal(stopped, _clock.Now);
        _clock.Start();
        Assert.InRange(_clock.Now, stopped, long.MaxValue);
    }

    [Fact]
    public void A_running_clocks_timer_fires_once_by_itself()
    {
        using var fired = new SemaphoreSlim(0);
        var timer = _clock.CreateTimer(() => fired.Release());
        timer.Set(1_000_000);
        _clock.Start();

        Assert.True(fired.Wait(TimeSpan.FromSeconds(30)));
        Assert.InRange(_clock.Now, 1_000_000, long.MaxValue);
        Assert.False(timer.IsSet);
    }
}
