using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>What <c>godwit run</c> writes into a mapped-ram file: pages with content and no others.</summary>
public sealed class MappedRamContentTests
{
    private const int Pages = (64 << 20) / 4096;

    /// <summary>As the guest's memory is in the end: a page that became zero meanwhile is out again.</summary>
    [Theory]
    [InlineData("mapped-ram", "", false)]
    [InlineData("mapped-ram", "", true)]
    [InlineData("mapped-ram,multifd", "multifd", true)]
    [InlineData("mapped-ram,multifd", "legacy", true)]
    public async Task Pages_of_zeros_are_left_out(string capabilities, string zeros, bool live)
    {
        using var folder = new TemporaryFolder();
        await using var guest = await StartAsync(folder);
        if (!live)
            await guest.Machine.Qmp.ExecuteAsync("stop");
        await WriteAsync(guest, folder, capabilities, zeros, live);

        var memory = await File.ReadAllBytesAsync(folder.File("ram"));
        var full = Enumerable.Range(0, Pages).Count(i => memory.AsSpan(i << 12, 1 << 12).ContainsAnyExcept((byte)0));
        Assert.InRange(full, 20, Pages / 4);
        var ram = await AnalyzeAsync(folder);
        Assert.Equal((Pages, full, Pages - full, 0), ((int)ram["pages"]!, (int)ram["stored"]!, (int)ram["zero"]!, (int)ram["missing"]!));
        var model = MappedModel.Read(await File.ReadAllBytesAsync(folder.File("mapped")));
        Assert.All(model.Pages.Where(p => p.Key.Block == (string?)ram["name"] && p.Value.Length > 0), p => Assert.True(memory.AsSpan((int)p.Key.Offset, 1 << 12).SequenceEqual(p.Value)));
    }

    [Fact]
    public async Task Where_nobody_looks_for_zeros_all_is_stored()
    {
        using var folder = new TemporaryFolder();
        await using var guest = await StartAsync(folder);
        await WriteAsync(guest, folder, "mapped-ram", "none", live: false);

        var ram = await AnalyzeAsync(folder);
        Assert.Equal((Pages, 0), ((int)ram["stored"]!, (int)ram["zero"]!));
    }

    /// <summary>Its harts are of a newer version than it knows.</summary>
    [Fact]
    public async Task QEMU_10_0_takes_no_guest_of_Godwit_s()
    {
        using var folder = new TemporaryFolder();
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "godwit");
        await guest.LiveOnAsync();
        await WriteAsync(guest, folder, "mapped-ram", "", live: false);

        await using var destination = await guest.DestinationAsync("qemu-10.0", "-global", "migration.mapped-ram=on");
        await LiveGuest.IncomingAsync(destination, $"file:{folder.File("mapped")}");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await LiveGuest.WaitForEndAsync(destination, patience.Token);
        await LiveGuest.WaitForErrorAsync(destination, "unsupported version 12 for 'cpu' v10", patience.Token);
    }

    /// <summary>Its memory is a file, which is there when it stands.</summary>
    private static async Task<LiveGuest> StartAsync(TemporaryFolder folder)
    {
        var guest = await LiveGuest.StartAsync(
            GuestKind.Heartbeat("pages=2k rate=20k pattern=zero"), "godwit", "-M", "virt,memory-backend=m", "-object", $"memory-backend-file,id=m,mem-path={folder.File("ram")},size=64M,share=on");
        try
        {
            await guest.LiveOnAsync();
            return guest;
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }

    /// <param name="live">It rewrites its memory for some rounds.</param>
    private static async Task WriteAsync(LiveGuest guest, TemporaryFolder folder, string capabilities, string zeros, bool live)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var qmp = guest.Machine.Qmp;
        await qmp.SetCapabilitiesAsync(capabilities.Split(','), patience.Token);
        await qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = live ? 20L << 20 : 0, ["downtime-limit"] = live ? 1 : 2000 });
        if (zeros.Length > 0)
            await qmp.SetParametersAsync(new JsonObject { ["zero-page-detection"] = zeros });
        await qmp.MigrateAsync($"file:{folder.File("mapped")}");
        // A round of zeros takes no time, and may be the last one though it is the second.
        while (live && await qmp.QueryMigrateAsync(patience.Token) is var now && now.GetProperty("status").GetString() is "setup" or "active" && Rounds(now) < 3)
            await Task.Delay(10, patience.Token);
        await qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        Assert.Equal("completed", (await qmp.WaitForMigrationAsync(patience.Token)).GetProperty("status").GetString());
    }

    private static long Rounds(JsonElement migration) => migration.TryGetProperty("ram", out var ram) ? ram.GetProperty("dirty-sync-count").GetInt64() : 0;

    private static async Task<JsonNode> AnalyzeAsync(TemporaryFolder folder)
    {
        var result = await GodwitCommand.RunAsync("analyze", folder.File("mapped"), "--json");
        Assert.True(result.ExitCode == 0, result.Errors);
        return JsonNode.Parse(result.Output)!["blocks"]!.AsArray().Single(b => (int)b!["pages"]! == Pages)!;
    }
}
