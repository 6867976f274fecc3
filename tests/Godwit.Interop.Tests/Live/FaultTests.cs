using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A migration that is given up or refused leaves the guest where it was. What breaks is in <see cref="FaultMatrixTests"/>.</summary>
public sealed class FaultTests
{
    public static TheoryData<string, string> Pairs => HeartbeatMoveTests.Pairs;

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Cancelled_in_a_round(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=4k rate=max pattern=random"), from);
        await using var destination = await StartSlowlyAsync(guest, to);
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
    private static async Task<QemuProcess> StartSlowlyAsync(LiveGuest guest, string to)
    {
        await guest.LiveOnAsync();
        var destination = await guest.DestinationAsync(to);
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 16L << 20, ["downtime-limit"] = 1 });
        await LiveGuest.IncomingAsync(destination, $"unix:{destination.Folder}/in");
        await guest.Machine.Qmp.MigrateAsync($"unix:{destination.Folder}/in");
        using var cancel = new CancellationTokenSource(Heartbeat.Patience);
        await LiveGuest.WaitForStatusAsync(guest.Machine, "active", cancel.Token);
        while ((await guest.Machine.Qmp.QueryMigrateAsync(cancel.Token)).GetProperty("ram").GetProperty("dirty-sync-count").GetInt64() < 2)
            await Task.Delay(10, cancel.Token);
        return destination;
    }
}
