using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>Any machine's pages come over multifd channels into a file that is a plain stream; a QEMU that loads it has the same memory to the byte.</summary>
public sealed class MultifdArchiveTests
{
    private const string Old = "qemu-system-riscv64";
    private const string New = "qemu-newest-system-riscv64";

    [Theory]
    [InlineData("qemu-system-x86_64", "-M pc", 2, "none", "multifd")]
    [InlineData("qemu-system-x86_64", "-M q35 -smp 2", 4, "zstd", "legacy")]
    [InlineData("qemu-newest-system-x86_64", "-M pc", 8, "zlib", "none")]
    [InlineData("qemu-system-s390x", "", 3, "zlib", "multifd")]
    [InlineData("qemu-system-alpha", "-vga none", 2, "none", "multifd")]
    [InlineData("qemu-system-alpha", "-vga none", 1, "zstd", "legacy")]
    [InlineData("qemu-system-alpha", "-vga none", 2, "none", "none")]
    public async Task Memory_is_the_same_at_the_other_end(string qemu, string machine, int channels, string compression, string zeros)
    {
        using var folder = new TemporaryFolder();
        var options = PatternMachine.Options(folder, machine);
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S"]);
        var file = folder.File("guest.stream");

        var summary = await ReceiveAsync(source, folder, file, channels, compression, zeros);

        Assert.Equal(channels, (int)summary["multifd-channels"]!);
        Assert.Equal(qemu.EndsWith("alpha", StringComparison.Ordinal) ? 8192 : 4096, (int)summary["page-size"]!);
        var verdict = await GodwitCommand.RunAsync("verify", file);
        Assert.True(verdict.ExitCode == 0, verdict.Output + verdict.Errors);
        await using var destination = await PatternMachine.LoadAsync(qemu, options, file);
        Assert.Equal(await PatternMachine.MemoryAsync(source, folder), await PatternMachine.MemoryAsync(destination, folder));
    }

    [Theory]
    [InlineData(New, 4, "none", "multifd", "")]
    [InlineData(New, 2, "zstd", "legacy", "")]
    [InlineData(Old, 3, "zlib", "none", "")]
    [InlineData(Old, 2, "none", "multifd", "-global migration.multifd-flush-after-each-section=on")]
    public async Task A_guest_that_rewrites_its_memory_lives_on(string qemu, int channels, string compression, string zeros, string more)
    {
        using var folder = new TemporaryFolder();
        string[] machine = [.. Heartbeat.Machine("pages=2k rate=20k pattern=random"), .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), machine);
        await Heartbeat.WaitForBeatAsync(source, 3);
        await Capture.SlowDownAsync(source);
        var file = folder.File("guest.stream");

        var summary = await ReceiveAsync(source, folder, file, channels, compression, zeros, "return-path");

        Assert.InRange((long)summary["pages-rewritten"]!, 1, long.MaxValue);
        Assert.True((bool)summary["return-path"]!);
        await Capture.AssertLivesOnAsync(source, qemu, [.. machine, "-incoming", $"file:{file}"]);
    }

    [Fact]
    public async Task A_source_with_too_few_channels_keeps_its_guest()
    {
        using var folder = new TemporaryFolder();
        await using var source = await QemuProcess.StartAsync(Peers.Path(New), Heartbeat.Machine("pages=64 rate=1k"));
        await Heartbeat.WaitForBeatAsync(source, 1);
        await source.Qmp.SetCapabilitiesAsync(["multifd", "return-path"]);
        using var receive = GodwitCommand.Start("receive", $"unix:{folder.File("in")}", "-o", folder.File("out"), "--multifd-channels", "3");
        await receive.WaitForErrorAsync("waiting for a migration on ");
        await source.Qmp.MigrateAsync($"unix:{folder.File("in")}");

        var result = await receive.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("2 of 3 multifd channels came, missing 2", result.Errors, StringComparison.Ordinal);
        Assert.Equal("failed", (await source.Qmp.WaitForMigrationAsync()).GetProperty("status").GetString());
        await Heartbeat.WaitForBeatAsync(source, Heartbeat.All(source)[^1].Beat + 2);
        Assert.False(File.Exists(folder.File("out")));
    }

    private static async Task<JsonNode> ReceiveAsync(
        QemuProcess source, TemporaryFolder folder, string file, int channels, string compression, string zeros, params string[] capabilities)
    {
        await source.Qmp.SetParametersAsync(new JsonObject { ["multifd-channels"] = channels, ["multifd-compression"] = compression, ["zero-page-detection"] = zeros });
        return await Capture.ReceiveAsync(source, folder, file, ["multifd", .. capabilities]);
    }
}
