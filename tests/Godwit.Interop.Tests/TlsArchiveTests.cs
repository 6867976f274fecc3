using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>A QEMU's guest comes into a file over TLS, and goes from there into a QEMU over TLS.</summary>
public sealed class TlsArchiveTests
{
    [Theory]
    [InlineData("return-path")]
    [InlineData("return-path,multifd")]
    public async Task Into_a_file_and_out_of_it(string capabilities)
    {
        var multifd = capabilities.Contains("multifd", StringComparison.Ordinal);
        using var certificates = new Certificates();
        using var folder = new TemporaryFolder();
        var credentials = certificates.Folder();
        var file = folder.File("guest.stream");
        var command = MachineCommand.Live("qemu");
        string[] options = [.. command.Arguments, .. Heartbeat.Machine("pages=1k rate=5k")];
        await using var source = await QemuProcess.StartAsync(command.Program, [.. options, "-object", credentials.Object("client"), "-global", "migration.tls-creds=tls0"]);
        await Heartbeat.WaitForBeatAsync(source, 2);
        using var receive = GodwitCommand.Start("receive", "tcp:127.0.0.1:0", "-o", file, "--json", "--tls-creds", credentials.Path, "--tls-authz", Certificates.ClientIdentity);
        await receive.WaitForErrorAsync("waiting for a migration on ");
        await source.Qmp.SetCapabilitiesAsync(capabilities.Split(','));
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        await source.Qmp.MigrateAsync(await receive.AddressAsync());
        var result = await receive.WaitAsync();
        Assert.True(result.ExitCode == 0, result.Errors);
        await Capture.AssertCompletedAsync(source);

        var port = LiveGuest.FreePort();
        await using var destination = await QemuProcess.StartAsync(
            command.Program,
            [
                .. options, "-object", credentials.Object("server"), "-global", "migration.tls-creds=tls0",
                .. multifd ? ["-global", "migration.x-multifd=on", "-global", "migration.multifd-channels=3"] : Array.Empty<string>(), "-incoming", $"tcp:127.0.0.1:{port}",
            ]);
        var sent = await GodwitCommand.RunAsync([
            "send", file, $"tcp:127.0.0.1:{port}", "--return-path", "--tls-creds", credentials.Path, "--tls-hostname", "localhost", .. multifd ? ["--multifd-channels", "3"] : Array.Empty<string>()]);
        Assert.True(sent.ExitCode == 0, sent.Errors);
        await destination.WaitForLineAsync(l => Heartbeat.Parse(l) is not null, Heartbeat.Patience);
        Assert.All(Heartbeat.All(destination), b => Assert.Equal(0, b.Errors));
    }
}
