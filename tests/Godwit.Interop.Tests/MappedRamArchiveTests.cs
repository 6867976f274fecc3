using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>Mapped-ram files of any machine, by the commands: QEMU's own are read and made into streams that QEMU loads, ours are loaded by QEMU; its memory is the same
/// to the byte.</summary>
public sealed class MappedRamArchiveTests
{
    private const string New = "qemu-newest-system-riscv64";
    private const string MappedRam = "-global migration.mapped-ram=on";

    [Theory]
    [InlineData("qemu-system-x86_64", "-M pc", "mapped-ram", 0)]
    [InlineData("qemu-newest-system-x86_64", "-M q35 -smp 2", "mapped-ram,multifd", 0x10000)]
    [InlineData("qemu-system-s390x", "", "mapped-ram", 0)]
    [InlineData("qemu-system-alpha", "-vga none", "mapped-ram,multifd", 0)]
    [InlineData("qemu-system-aarch64", "-M virt -cpu cortex-a57", "mapped-ram", 0x333)]
    public async Task A_file_of_QEMU_s_is_read_converted_and_sent(string qemu, string machine, string capabilities, int offset)
    {
        using var folder = new TemporaryFolder();
        var options = PatternMachine.Options(folder, machine);
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S"]);
        await source.Qmp.SetCapabilitiesAsync(capabilities.Split(','));
        await source.Qmp.MigrateAsync($"file:{folder.File("mapped")},offset={offset}");
        await Capture.AssertCompletedAsync(source);
        var expected = await PatternMachine.MemoryAsync(source, folder);

        var verdict = await GodwitCommand.RunAsync("verify", folder.File("mapped"), "--offset", $"{offset}");
        Assert.True(verdict.ExitCode == 0, verdict.Output + verdict.Errors);
        var report = JsonNode.Parse((await GodwitCommand.RunAsync("analyze", folder.File("mapped"), "--offset", $"0x{offset:x}", "--json")).Output)!;
        Assert.True((bool)report["complete"]!);
        Assert.Contains("mapped-ram", report["capabilities"]!.AsArray().Select(c => (string)c!));
        Assert.InRange(report["blocks"]!.AsArray().Sum(b => (long)b!["stored"]!), 500, 20000);

        await RunAsync("convert", folder.File("mapped"), folder.File("stream"), "--to", "stream", "--offset", $"{offset}");
        await using (var loaded = await PatternMachine.LoadAsync(qemu, options, folder.File("stream")))
            Assert.Equal(expected, await PatternMachine.MemoryAsync(loaded, folder));

        await using var waiting = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S", "-incoming", $"unix:{folder.File("in")}"]);
        await RunAsync("send", folder.File("mapped"), $"unix:{folder.File("in")}", "--return-path", "--offset", $"{offset}");
        Assert.Equal(expected, await PatternMachine.MemoryAsync(waiting, folder));
    }

    [Theory]
    [InlineData("qemu-system-x86_64", "-M pc", "")]
    [InlineData("qemu-newest-system-x86_64", "-M q35", "multifd")]
    [InlineData("qemu-system-s390x", "", "multifd")]
    [InlineData("qemu-system-alpha", "-vga none", "")]
    [InlineData("qemu-system-alpha", "-vga none", "multifd")]
    public async Task A_file_that_was_received_is_loaded_by_QEMU(string qemu, string machine, string capabilities)
    {
        using var folder = new TemporaryFolder();
        var options = PatternMachine.Options(folder, machine);
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S"]);

        await ReceiveAsync(source, folder, capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(0, (await GodwitCommand.RunAsync("verify", folder.File("mapped"))).ExitCode);
        await using var loaded = await PatternMachine.LoadAsync(qemu, [.. options, .. MappedRam.Split(' ')], folder.File("mapped"));
        Assert.Equal(await PatternMachine.MemoryAsync(source, folder), await PatternMachine.MemoryAsync(loaded, folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("multifd")]
    public async Task A_guest_that_rewrites_its_memory_lives_on_from_a_received_file(string capabilities)
    {
        using var folder = new TemporaryFolder();
        var machine = Heartbeat.Machine("pages=2k rate=20k pattern=zero");
        await using var source = await QemuProcess.StartAsync(Peers.Path(New), machine);
        await Heartbeat.WaitForBeatAsync(source, 3);
        await Capture.SlowDownAsync(source);

        var summary = await ReceiveAsync(source, folder, ["return-path", .. capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.Equal("mapped-ram", (string?)summary["format"]);
        Assert.InRange((long)summary["pages-rewritten"]!, 1, long.MaxValue);
        await Capture.AssertLivesOnAsync(source, New, [.. machine, .. MappedRam.Split(' '), "-incoming", $"file:{folder.File("mapped")}"]);
    }

    [Theory]
    [InlineData("qemu-system-x86_64", "-M pc", 2, "none", "")]
    [InlineData("qemu-newest-system-x86_64", "-M pc", 8, "zstd", "--multifd-zstd-level 3")]
    [InlineData("qemu-system-x86_64", "-M pc", 1, "zlib", "--zero-page-detection legacy")]
    [InlineData("qemu-system-x86_64", "-M pc-i440fx-8.0", 3, "none", "--multifd-flush-after-each-section")]
    [InlineData("qemu-system-alpha", "-vga none", 2, "zstd", "")]
    public async Task A_file_is_sent_to_QEMU_over_many_channels(string qemu, string machine, int channels, string compression, string more)
    {
        using var folder = new TemporaryFolder();
        var options = PatternMachine.Options(folder, machine);
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S"]);
        await source.Qmp.MigrateAsync($"file:{folder.File("stream")}");
        await Capture.AssertCompletedAsync(source);
        await RunAsync("convert", folder.File("stream"), folder.File("mapped"), "--to", "mapped-ram");
        var expected = await PatternMachine.MemoryAsync(source, folder);
        foreach (var file in new[] { "stream", "mapped" })
        {
            await using var waiting = await QemuProcess.StartAsync(Peers.Path(qemu), [
                .. options, "-S", "-global", "migration.x-multifd=on", "-global", $"migration.multifd-channels={channels}",
                "-global", $"migration.multifd-compression={compression}", "-incoming", $"unix:{folder.File("in")}"]);
            await RunAsync([
                "send", folder.File(file), $"unix:{folder.File("in")}", "--return-path", "--multifd-channels", $"{channels}", "--multifd-compression", compression,
                .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
            Assert.Equal(expected, await PatternMachine.MemoryAsync(waiting, folder));
        }
    }

    private static Task<JsonNode> ReceiveAsync(QemuProcess source, TemporaryFolder folder, string[] capabilities) =>
        Capture.ReceiveAsync(source, folder, folder.File("mapped"), capabilities, "--format", "mapped-ram");

    private static async Task RunAsync(params string[] command)
    {
        var result = await GodwitCommand.RunAsync(command);
        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
    }
}
