using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest that doesn't run doesn't run on the other side either, until it is told to.</summary>
public sealed class RunStateTests
{
    public static TheoryData<string, string> Pairs => HeartbeatMoveTests.Pairs;

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_paused_guest_stays_paused(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from);
        await guest.LiveOnAsync();
        await guest.Machine.Qmp.ExecuteAsync("stop");
        await guest.MoveAsync(new LiveMove(to, Capabilities: "return-path") { RunState = "paused" });
        await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_machine_started_with_S_takes_the_guest_and_waits(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from, "-S");
        Assert.Equal("prelaunch", await guest.Machine.Qmp.QueryStatusAsync());
        await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove(to) { RunState = "paused" });
        await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_guest_that_never_ran_begins_on_the_other_side(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from, "-S");
        await guest.MoveAsync(new LiveMove(to) { RunState = "prelaunch" });
        await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
    }
}
