using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>What <c>godwit run</c> writes into a mapped-ram file: pages with content and no others.</summary>
public sealed class MappedRamContentTests
{
    private const int Pages = (64 << 20) / 4096;

    /// <summary>A page that became zero meanwhile is out again.</summary>
    [Theory]
    [InlineData("mapped-ram", "", false)]
    [InlineData("mapped-ram", "", true)]
    [InlineData("mapped-ram,multifd", "multifd", true)]
    [InlineData("mapped-ram,multifd", "legacy", true)]
    public async Task Pages_of_zeros_are_left_out(string capabilities, string zeros, bool live)
    {
        using var folder = new TemporaryFolder();
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=zero"), "godwit");
        await guest.LiveOnAsync();
        if (!live)
            await guest.Machine.Qmp.ExecuteAsync("stop");
        var model = await WriteAsync(guest, folder, capabilities, zeros, live);

        var ram = await AnalyzeAsync(folder);
        Assert.Equal(model.Pages.Count(p => p.Value.Length > 0), model.Stored);
        Assert.Equal((Pages, 0), ((int)ram["pages"]!, (int)ram["missing"]!));
        Assert.InRange((int)ram["stored"]!, 20, Pages / 4);
        Assert.Equal(Pages - (int)ram["stored"]!, (int)ram["zero"]!);
    }

    [Fact]
    public async Task Where_nobody_looks_for_zeros_all_is_stored()
    {
        using var folder = new TemporaryFolder();
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "godwit");
        await guest.LiveOnAsync();
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

    /// <summary>The file, and what stands in it by the plainest reading.</summary>
    private static async Task<MappedModel> WriteAsync(LiveGuest guest, TemporaryFolder folder, string capabilities, string zeros, bool live)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await guest.Machine.Qmp.SetCapabilitiesAsync(capabilities.Split(','));
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = live ? 20L << 20 : 0, ["downtime-limit"] = live ? 1 : 2000 });
        if (zeros.Length > 0)
            await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["zero-page-detection"] = zeros });
        await guest.Machine.Qmp.MigrateAsync($"file:{folder.File("mapped")}");
        while (live && await guest.Machine.Qmp.QueryMigrateAsync(patience.Token) is var now && !(now.TryGetProperty("ram", out var ram) && ram.GetProperty("dirty-sync-count").GetInt64() >= 3))
            await Task.Delay(10, patience.Token);
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        var info = await guest.Machine.Qmp.WaitForMigrationAsync(patience.Token);
        Assert.Equal("completed", info.GetProperty("status").GetString());
        return MappedModel.Read(await File.ReadAllBytesAsync(folder.File("mapped"), patience.Token));
    }

    private static async Task<JsonNode> AnalyzeAsync(TemporaryFolder folder)
    {
        var result = await GodwitCommand.RunAsync("analyze", folder.File("mapped"), "--json");
        Assert.True(result.ExitCode == 0, result.Errors);
        return JsonNode.Parse(result.Output)!["blocks"]!.AsArray().Single(b => (string?)b!["name"] == "riscv_virt_board.ram")!;
    }
}
