using System.Diagnostics;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>What the heartbeat guest says of how long it stood, against what is known of it: tests and figures elsewhere rest on it.</summary>
public sealed class HeartbeatGapTests
{
    private static readonly TimeSpan Stop = TimeSpan.FromMilliseconds(400);

    /// <summary>The calendar and the clock of this process are slewed apart by less.</summary>
    private const double Slew = 0.99;

    [Theory]
    [InlineData("godwit")]
    [InlineData("qemu")]
    public async Task A_machine_that_was_stopped_stood_as_long_as_it_was(string name)
    {
        var command = MachineCommand.Live(name);
        await using var machine = await QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. Heartbeat.Machine("pages=16 rate=0 pattern=counter beat=20")]);
        await Heartbeat.WaitForBeatAsync(machine, 3);
        await machine.Qmp.ExecuteAsync("stop");
        var stood = Stopwatch.StartNew();
        var before = Heartbeat.All(machine)[^1];

        await Task.Delay(Stop);
        Assert.Equal(before, Heartbeat.All(machine)[^1]);
        var microseconds = stood.Elapsed.TotalMicroseconds;
        await machine.Qmp.ExecuteAsync("cont");

        // A line that the stop came into was reckoned before it.
        await Heartbeat.WaitForBeatAsync(machine, before.Beat + 2);
        var after = Heartbeat.All(machine).Where(b => b.Beat > before.Beat).Take(2).ToList();
        Assert.True(after.Max(b => b.Gap) >= Slew * microseconds, $"it stood for {microseconds} µs at least, and says {string.Join(", then ", after)}");
        Assert.Equal([before.Beat + 1, before.Beat + 2], after.Select(b => b.Beat));
    }
}
