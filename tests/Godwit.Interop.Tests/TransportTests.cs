using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>The addresses that HeartbeatTests doesn't go through.</summary>
public sealed class TransportTests
{
    private const string Qemu = "qemu-newest-system-riscv64";

    [Fact]
    public async Task A_stream_comes_and_goes_over_open_descriptors()
    {
        using var folder = new TemporaryFolder();
        await using var source = await QemuProcess.StartAsync(Peers.Path(Qemu), Heartbeat.Machine("pages=64 rate=1k"));
        await Heartbeat.WaitForBeatAsync(source, 2);
        await source.Qmp.MigrateAsync($"file:{folder.File("raw")}");
        await Capture.AssertCompletedAsync(source);
        var before = Heartbeat.All(source)[^1];

        var received = await GodwitCommand.RunShellAsync($"exec 7<'{folder.File("raw")}'; \"$GODWIT\" receive fd:7 -o '{folder.File("out")}'");
        Assert.True(received.ExitCode == 0, received.Errors);

        var port = FreePort();
        await using var destination = await QemuProcess.StartAsync(Peers.Path(Qemu), [.. Heartbeat.Machine("pages=64 rate=1k"), "-incoming", $"tcp:127.0.0.1:{port}"]);
        var sent = await GodwitCommand.RunShellAsync($"exec 7<>/dev/tcp/127.0.0.1/{port}; \"$GODWIT\" send '{folder.File("out")}' fd:7 --return-path");
        Assert.True(sent.ExitCode == 0, sent.Errors);
        await Heartbeat.WaitForBeatAsync(destination, before.Beat + 1);
        Assert.Equal(0, Heartbeat.All(destination)[^1].Errors);
    }

    [Fact]
    public async Task A_stream_goes_through_a_command_and_into_a_file_at_an_offset()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("in"), Golden.Stream("virt-11.1"));

        var piped = await GodwitCommand.RunAsync("send", folder.File("in"), $"exec:cat >{folder.File("copy")}");
        var placed = await GodwitCommand.RunAsync("send", folder.File("in"), $"file:{folder.File("placed")},offset=0x1000");
        var failed = await GodwitCommand.RunAsync("send", folder.File("in"), "exec:cat >/dev/null; exit 3");
        var received = await GodwitCommand.RunAsync("receive", $"file:{folder.File("placed")},offset=4096", "-o", folder.File("out"));

        Assert.Equal((0, 0, 1, 0), (piped.ExitCode, placed.ExitCode, failed.ExitCode, received.ExitCode));
        Assert.Equal(File.ReadAllBytes(folder.File("in")), File.ReadAllBytes(folder.File("copy")));
        Assert.Equal(File.ReadAllBytes(folder.File("in")), File.ReadAllBytes(folder.File("placed"))[4096..]);
        Assert.Contains("exit code 3", failed.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await GodwitCommand.RunAsync("verify", folder.File("out"))).ExitCode);
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        socket.Start();
        return ((System.Net.IPEndPoint)socket.LocalEndpoint).Port;
    }
}
