using System.Diagnostics;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>Whatever breaks, the guest is on one side: it goes on at the source, or stands there until it is told to.</summary>
public sealed class FaultTests
{
    public static TheoryData<string, string> Pairs => HeartbeatMoveTests.Pairs;

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Cancelled_in_a_round(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=4k rate=max pattern=random"), from);
        await using var destination = await StartSlowlyAsync(guest, to, null);
        await guest.Machine.Qmp.ExecuteAsync("migrate_cancel");
        var info = await guest.Machine.Qmp.WaitForMigrationAsync();
        Assert.Equal("cancelled", info.GetProperty("status").GetString());
        Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
        await guest.LiveOnAsync();
        // And nothing is left that would hinder another try.
        await guest.MoveAsync(new LiveMove(to));
        await guest.LiveOnAsync();
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task The_destination_is_killed(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=4k rate=max pattern=random"), from);
        await using var destination = await StartSlowlyAsync(guest, to, null);
        Process.GetProcessById(destination.ProcessId).Kill();
        var info = await guest.Machine.Qmp.WaitForMigrationAsync();
        Assert.Equal("failed", info.GetProperty("status").GetString());
        await guest.LiveOnAsync();
        Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
    }

    public static TheoryData<string, string, CutPoint> Cuts
    {
        get
        {
            var cuts = new TheoryData<string, string, CutPoint>();
            foreach (var point in new[] { CutPoint.Setup, CutPoint.Round, CutPoint.Devices })
            {
                cuts.Add("qemu", "godwit", point);
                cuts.Add("godwit", "qemu", point);
            }

            return cuts;
        }
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task The_connection_is_cut(string from, string to, CutPoint point)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=4k rate=1k pattern=random"), from);
        await guest.LiveOnAsync();
        await using var destination = await guest.DestinationAsync(to);
        using var relay = await RelayAsync(guest, destination, point);
        await relay.Cut;
        var info = await guest.Machine.Qmp.WaitForMigrationAsync();
        Assert.Equal("failed", info.GetProperty("status").GetString());
        // Devices are few bytes: all of them may have left our source before the cut, which then can't know and holds the guest.
        if (point == CutPoint.Devices && from == "godwit" && await guest.Machine.Qmp.QueryStatusAsync() == "postmigrate")
            await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
        Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
        Assert.Empty(destination.SerialLines);
    }

    /// <summary>The destination runs, and the source can't know: it holds the guest.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public async Task Godwit_holds_a_guest_that_may_live_elsewhere(string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "godwit");
        await guest.LiveOnAsync();
        await using var destination = await guest.DestinationAsync(to);
        using var relay = await RelayAsync(guest, destination, CutPoint.AfterTheLastByte);
        await relay.Cut;
        await guest.Machine.Qmp.WaitForMigrationAsync();
        Assert.Equal("postmigrate", await guest.Machine.Qmp.QueryStatusAsync());
        var beats = guest.Beats.Count;
        await destination.WaitForLineAsync(l => Heartbeat.Parse(l)?.Beat > beats + 2, Heartbeat.Patience);
        Assert.Equal(beats, guest.Beats.Count);
        await destination.DisposeAsync();
        await guest.Machine.Qmp.ExecuteAsync("cont");
        await guest.LiveOnAsync();
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Another_machines_uuid_is_refused(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from);
        await guest.LiveOnAsync();
        await using var stranger = await LiveGuest.StartAsync(GuestKind.Heartbeat(), to, "-uuid", "7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a12", "-incoming", "defer");
        await stranger.Machine.Qmp.SetCapabilitiesAsync(["validate-uuid", "return-path"]);
        await guest.Machine.Qmp.SetCapabilitiesAsync(["validate-uuid", "return-path"]);
        await LiveGuest.IncomingAsync(stranger.Machine, $"unix:{stranger.Machine.Folder}/in");
        await guest.Machine.Qmp.MigrateAsync($"unix:{stranger.Machine.Folder}/in");
        Assert.Equal("failed", (await guest.Machine.Qmp.WaitForMigrationAsync()).GetProperty("status").GetString());
        await guest.LiveOnAsync();
    }

    /// <summary>A migration that doesn't come to its end by itself, in its second round.</summary>
    private static async Task<QemuProcess> StartSlowlyAsync(LiveGuest guest, string to, string? capabilities)
    {
        await guest.LiveOnAsync();
        var destination = await guest.DestinationAsync(to);
        await guest.Machine.Qmp.SetCapabilitiesAsync(capabilities?.Split(',') ?? []);
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 16L << 20, ["downtime-limit"] = 1 });
        await LiveGuest.IncomingAsync(destination, $"unix:{destination.Folder}/in");
        await guest.Machine.Qmp.MigrateAsync($"unix:{destination.Folder}/in");
        using var cancel = new CancellationTokenSource(Heartbeat.Patience);
        await LiveGuest.WaitForStatusAsync(guest.Machine, "active", cancel.Token);
        while ((await guest.Machine.Qmp.QueryMigrateAsync(cancel.Token)).GetProperty("ram").GetProperty("dirty-sync-count").GetInt64() < 2)
            await Task.Delay(10, cancel.Token);
        return destination;
    }

    private static async Task<CuttingRelay> RelayAsync(LiveGuest guest, QemuProcess destination, CutPoint point)
    {
        await destination.Qmp.SetCapabilitiesAsync(["return-path"]);
        await guest.Machine.Qmp.SetCapabilitiesAsync(["return-path"]);
        await LiveGuest.IncomingAsync(destination, $"unix:{destination.Folder}/in");
        var relay = new CuttingRelay(point, $"{guest.Machine.Folder}/relay-{Path.GetFileName(destination.Folder)}", $"{destination.Folder}/in");
        await guest.Machine.Qmp.MigrateAsync($"unix:{guest.Machine.Folder}/relay-{Path.GetFileName(destination.Folder)}");
        return relay;
    }
}
