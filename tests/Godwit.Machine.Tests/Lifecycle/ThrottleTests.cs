using Godwit.Machine.Lifecycle;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>What auto-converge asks of the harts, and what they do then.</summary>
public sealed class ThrottleTests
{
    /// <summary>They run for 10 ms, and stand for as long as makes the percentage of the whole.</summary>
    [Theory]
    [InlineData(1, "0")]
    [InlineData(20, "2")]
    [InlineData(50, "10")]
    [InlineData(90, "90")]
    [InlineData(99, "990")]
    public void Harts_stand_for_their_share_of_the_time(int percent, string standing)
    {
        var asked = new List<string>();
        using (new Throttle(held => asked.Add(held ? "stand" : "go"), percent, (_, milliseconds) =>
        {
            asked.Add($"{milliseconds}");
            return asked.Count > 8;
        }))
        {
        }

        Assert.Equal(["10", "stand", standing, "go", "10", "stand", standing, "go", "10"], asked);
    }

    [Fact]
    public void Another_percentage_counts_from_the_next_time_on()
    {
        var asked = new List<string>();
        using var made = new ManualResetEventSlim();
        Throttle? throttle = null;
        throttle = new Throttle(held => asked.Add(held ? "stand" : "go"), 50, (_, milliseconds) =>
        {
            made.Wait(TestMachine.Patience);
            asked.Add($"{milliseconds}");
            throttle!.Percent = 80;
            return asked.Count > 8;
        });
        made.Set();
        throttle.Dispose();
        Assert.Equal(["10", "stand", "40", "go", "10", "stand", "40", "go", "10"], asked);
    }

    /// <summary>The end comes while they stand.</summary>
    [Fact]
    public void Harts_are_never_left_standing()
    {
        var asked = new List<bool>();
        using var stands = new ManualResetEventSlim();
        using (new Throttle(Hold, 99))
            Assert.True(stands.Wait(TestMachine.Patience));
        Assert.False(asked[^1]);
        Assert.Equal(asked.Count(a => a), asked.Count(a => !a));

        void Hold(bool held)
        {
            asked.Add(held);
            stands.Set();
        }
    }

    [Fact]
    public void Held_harts_do_nothing_whatever_else_is_asked_of_them()
    {
        using var machine = TestMachine.Raw(ToBytes(Addi(T0, T0, 1), Jump(-4)));
        var state = machine.Machine.Harts[0].State;
        using var threads = new HartThreads(machine.Machine.Harts, (_, e) => Assert.Fail(e.Message));
        threads.Start();
        RequireProgress();

        threads.Hold(true);
        var done = state.Retired;
        threads.Synchronize();
        threads.Stop();
        threads.Start();
        for (var i = 0; i < 1000; i++)
            Assert.Equal(done, state.Retired);

        threads.Hold(false);
        RequireProgress();
        threads.Hold(true);
        threads.Stop();
        done = state.Retired;
        threads.Hold(false);
        threads.Synchronize();
        for (var i = 0; i < 1000; i++)
            Assert.Equal(done, state.Retired);

        void RequireProgress()
        {
            var before = Volatile.Read(ref state.Retired);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref state.Retired) != before, TestMachine.Patience));
        }
    }

    [Fact]
    public void A_machine_goes_on_after_it_was_throttled()
    {
        using var machine = TestMachine.Raw(ToBytes(Addi(T0, T0, 1), Jump(-4)));
        machine.Machine.Continue();
        machine.Machine.Throttle(50);
        machine.Machine.Throttle(99);
        machine.Machine.Throttle(0);
        var state = machine.Machine.Harts[0].State;
        for (var i = 0; i < 3; i++)
        {
            var before = Volatile.Read(ref state.Retired);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref state.Retired) != before, TestMachine.Patience));
        }
    }
}
