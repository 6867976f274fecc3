using System.Diagnostics;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>However a receive fails, the source's guest runs on, and no file is left under the name that was asked for.</summary>
public sealed class FailureTests
{
    private const string Old = "qemu-system-riscv64";
    private const string New = "qemu-newest-system-riscv64";

    [Theory]
    [InlineData(Old, "return-path,x-colo", "x-colo")]
    public async Task An_unsupported_capability_is_refused_by_name(string qemu, string capabilities, string named)
    {
        using var folder = new TemporaryFolder();
        await using var source = await StartAsync(qemu);
        await source.Qmp.SetCapabilitiesAsync(capabilities.Split(','));

        using var receive = GodwitCommand.Start("receive", $"unix:{folder.File("in")}", "-o", folder.File("out"));
        await receive.WaitForErrorAsync("waiting");
        await source.Qmp.MigrateAsync($"unix:{folder.File("in")}");
        var result = await receive.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"switch capability {named} off", result.Errors, StringComparison.Ordinal);
        await AssertGuestRunsAsync(source, folder);
    }

    /// <summary>QEMU 11.1 gives up its guest only when the destination has answered; older ones may be faster than a refusal.</summary>
    [Fact]
    public async Task Postcopy_that_is_entered_is_refused_and_the_guest_stays()
    {
        using var folder = new TemporaryFolder();
        await using var source = await StartAsync(New, "pages=4k rate=max pattern=random");
        await source.Qmp.SetCapabilitiesAsync(["postcopy-ram"]);
        using var receive = await ReceiveSlowlyAsync(source, folder);
        await source.Qmp.ExecuteAsync("migrate-start-postcopy");
        var result = await receive.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("postcopy-ram", result.Errors, StringComparison.Ordinal);
        await AssertGuestRunsAsync(source, folder);
    }

    [Theory]
    [InlineData("cancel at the source")]
    [InlineData("interrupt the receiver")]
    [InlineData("terminate the receiver")]
    [InlineData("kill the receiver")]
    public async Task A_migration_that_is_broken_off_leaves_the_guest_to_the_source(string how)
    {
        using var folder = new TemporaryFolder();
        await using var source = await StartAsync(Old, "pages=4k rate=max pattern=random");
        using var receive = await ReceiveSlowlyAsync(source, folder);
        if (how == "cancel at the source")
            await source.Qmp.ExecuteAsync("migrate_cancel");
        else if (how == "interrupt the receiver")
            receive.Signal("INT");
        else if (how == "terminate the receiver")
            receive.Signal("TERM");
        else
            Process.GetProcessById(receive.ProcessId).Kill();
        var result = await receive.WaitAsync();

        Assert.NotEqual(0, result.ExitCode);
        if (how is "interrupt the receiver" or "terminate the receiver")
            Assert.Contains("cancelled", result.Errors, StringComparison.Ordinal);
        await AssertGuestRunsAsync(source, folder, mayLeavePartial: how == "kill the receiver");
    }

    [Fact]
    public async Task A_source_that_dies_leaves_no_file()
    {
        using var folder = new TemporaryFolder();
        await using var source = await StartAsync(Old, "pages=4k rate=max pattern=random");
        using var receive = await ReceiveSlowlyAsync(source, folder);
        Process.GetProcessById(source.ProcessId).Kill();
        var result = await receive.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the stream ends here", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("out", folder.Names);
    }

    [Fact]
    public async Task A_destination_of_another_machine_says_that_it_failed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("pc"), Golden.Stream("pc-10.0"));
        await using var destination = await QemuProcess.StartAsync(Peers.Path(Old), [.. Heartbeat.Machine("pages=8"), "-incoming", "unix:{folder}/in"]);

        var result = await GodwitCommand.RunAsync("send", folder.File("pc"), $"unix:{destination.Folder}/in", "--return-path");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("destination", result.Errors, StringComparison.Ordinal);
    }

    private static async Task<QemuProcess> StartAsync(string qemu, string guest = "pages=1k rate=5k pattern=random")
    {
        var source = await QemuProcess.StartAsync(Peers.Path(qemu), Heartbeat.Machine(guest));
        await Heartbeat.WaitForBeatAsync(source, 2);
        return source;
    }

    /// <summary>A migration that doesn't come to its end by itself, half a second after its start.</summary>
    private static async Task<GodwitCommand> ReceiveSlowlyAsync(QemuProcess source, TemporaryFolder folder)
    {
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 8L << 20, ["downtime-limit"] = 1 });
        var receive = GodwitCommand.Start("receive", $"unix:{folder.File("in")}", "-o", folder.File("out"));
        await receive.WaitForErrorAsync("waiting");
        await source.Qmp.MigrateAsync($"unix:{folder.File("in")}");
        await Task.Delay(500);
        return receive;
    }

    private static async Task AssertGuestRunsAsync(QemuProcess source, TemporaryFolder folder, bool mayLeavePartial = false)
    {
        var info = await source.Qmp.WaitForMigrationAsync();
        Assert.Contains(info.GetProperty("status").GetString(), new[] { "failed", "cancelled" });
        var beats = Heartbeat.All(source).Count;
        await Heartbeat.WaitForBeatAsync(source, beats + 3);
        Assert.Equal("running", await source.Qmp.QueryStatusAsync());
        Assert.All(Heartbeat.All(source), b => Assert.Equal(0, b.Errors));
        Assert.DoesNotContain("out", folder.Names);
        if (!mayLeavePartial)
            Assert.DoesNotContain(folder.Names, n => n.Contains("partial", StringComparison.Ordinal));
    }
}
