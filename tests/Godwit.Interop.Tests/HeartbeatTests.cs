using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>
/// QEMU → godwit receive → godwit send → QEMU, with a guest that rewrites its memory all the while and checks all of it. The guest
/// goes on from the very instruction: its next beat follows the last, its clock goes on, and it finds no error.
/// </summary>
public sealed class HeartbeatTests
{
    private const string Old = "qemu-system-riscv64";
    private const string New = "qemu-newest-system-riscv64";
    private const string AllCapabilities = "return-path,xbzrle,postcopy-ram,dirty-bitmaps,auto-converge,events,switchover-ack,validate-uuid";

    public static TheoryData<string, string, string, string> Moves
    {
        get
        {
            var moves = new TheoryData<string, string, string, string>();
            foreach (var qemu in new[] { Old, New })
            {
                moves.Add(qemu, "unix", "", "pages=1k rate=max pattern=random");
                moves.Add(qemu, "tcp", "return-path", "pages=1k rate=20k pattern=counter");
                moves.Add(qemu, "exec", "", "pages=512 rate=2k pattern=sparse");
                moves.Add(qemu, "file", "", "pages=512 rate=2k pattern=zero");
                moves.Add(qemu, "unix", "return-path,xbzrle", "pages=2k rate=max pattern=sparse");
                moves.Add(qemu, "unix", "return-path,postcopy-ram", "pages=1k rate=20k pattern=zero");
                moves.Add(qemu, "tcp", "return-path,switchover-ack", "pages=1k rate=5k pattern=random");
                moves.Add(qemu, "unix", AllCapabilities, "pages=1k rate=max pattern=zero");
            }

            return moves;
        }
    }

    [Theory]
    [MemberData(nameof(Moves))]
    public async Task A_guest_goes_through_a_file_into_another_QEMU(string qemu, string scheme, string capabilities, string guest)
    {
        using var folder = new TemporaryFolder();
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), [.. Heartbeat.Machine(guest), "-uuid", "7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11"]);
        await Heartbeat.WaitForBeatAsync(source, 3);
        await source.Qmp.SetCapabilitiesAsync(capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries));
        await Capture.SlowDownAsync(source);
        var file = folder.File("guest.stream");

        await Capture.IntoFileAsync(source, scheme, folder, file);

        var before = Heartbeat.All(source)[^1];
        var begun = source.SerialText.Split('\n')[^1];
        var verdict = await GodwitCommand.RunAsync("verify", file);
        Assert.True(verdict.ExitCode == 0, verdict.Output + verdict.Errors);
        foreach (var way in new[] { "send", "send --return-path", "-incoming file:" })
            await RestoreAsync(qemu, guest, file, way, before, begun);
    }

    private static async Task RestoreAsync(string qemu, string guest, string file, string way, Heartbeat before, string begun)
    {
        string[] incoming = way == "-incoming file:" ? ["-incoming", $"file:{file}"] : ["-incoming", "unix:{folder}/in"];
        await using var destination = await QemuProcess.StartAsync(Peers.Path(qemu), [.. Heartbeat.Machine(guest), "-uuid", "7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11", .. incoming]);
        if (way != "-incoming file:")
        {
            var sent = await GodwitCommand.RunAsync(["send", file, $"unix:{destination.Folder}/in", "--json", .. way.Split(' ').Skip(1)]);
            Assert.True(sent.ExitCode == 0, sent.Errors + destination.Errors);
            Assert.Equal(way.Contains("return-path", StringComparison.Ordinal), (bool)JsonNode.Parse(sent.Output)!["confirmed"]!);
        }

        await Heartbeat.WaitForBeatAsync(destination, before.Beat + 4);
        var after = Heartbeat.All(destination, begun);
        Assert.Equal(before.Beat + 1, after[0].Beat);
        Assert.All(after, b => Assert.Equal(0, b.Errors));
        Assert.True(after[0].Time > before.Time, $"guest time {before.Time}, then {after[0].Time}");
        Assert.InRange(after[0].Time - before.Time, 1, 30_000_000);
        Assert.True(after[^1].Checks > before.Checks);
        Assert.Equal("running", await destination.Qmp.QueryStatusAsync());
    }
}
