using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>The main channel is let in, and multifd's are not: something changes while the source is held up.</summary>
public sealed class TlsChannelTests : IDisposable
{
    private readonly Certificates _certificates = new(rsa: false);
    private readonly Certificates _others = new(rsa: false);

    /// <summary>The source has begun its main channel, and finds other credentials for the next.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public Task Other_credentials_lose_no_guest(string to) => MoveAsync("godwit", to, "The certificate hasn't got a known issuer", free: 0, async (source, _) =>
    {
        await DeleteAsync(source, "tls0");
        await AddAsync(source, _certificates.Folder(clientOf: _others), "client");
    });

    /// <summary>The destination has let the main channel in, as it says so in TLS 1.2, and the next is for nobody. A QEMU stands still in its handshake and could be told nothing.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public Task Who_may_come_no_more_loses_no_guest(string from) =>
        MoveAsync(from, "godwit", $"TLS x509 authz check for {Certificates.ClientIdentity} is denied", free: 1, async (_, destination) =>
        {
            await DeleteAsync(destination, "who");
            await AllowAsync(destination, "CN=nobody");
        });

    private async Task MoveAsync(string from, string to, string words, int free, Func<QemuProcess, QemuProcess, Task> change)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from);
        await guest.LiveOnAsync();
        await using var destination = await guest.DestinationAsync(to);
        await AddAsync(destination, _certificates.Folder(), "server");
        await AllowAsync(destination, Certificates.ClientIdentity);
        await destination.Qmp.SetParametersAsync(new JsonObject { ["tls-authz"] = "who" });
        await AddAsync(guest.Machine, _certificates.Folder(), "client");
        foreach (var machine in new[] { destination, guest.Machine })
        {
            await machine.Qmp.SetCapabilitiesAsync(["return-path", "multifd"]);
            await machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "tls0", ["tls-hostname"] = "localhost", ["multifd-channels"] = 2, ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        }

        using var relay = new HoldingRelay($"{guest.Machine.Folder}/relay", $"{destination.Folder}/in", free);
        await LiveGuest.IncomingAsync(destination, $"unix:{destination.Folder}/in");
        await guest.Machine.Qmp.MigrateAsync($"unix:{guest.Machine.Folder}/relay");
        await relay.Come;
        await change(guest.Machine, destination);
        relay.LetGo();

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var info = await guest.Machine.Qmp.WaitForMigrationAsync(patience.Token);
        Assert.True(info.GetProperty("status").GetString() == "failed", $"{info}; {destination.Errors}");
        Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
        await guest.LiveOnAsync();
        await LiveGuest.WaitForErrorAsync(destination, words, patience.Token);
        // A destination that has heard something on the main channel has ended by now, another waits.
        Assert.Equal("", destination.SerialText);
    }

    public void Dispose()
    {
        _certificates.Dispose();
        _others.Dispose();
    }

    private static Task DeleteAsync(QemuProcess machine, string id) => machine.Qmp.ExecuteAsync("object-del", new JsonObject { ["id"] = id });

    private static Task AllowAsync(QemuProcess machine, string identity) =>
        machine.Qmp.ExecuteAsync("object-add", new JsonObject { ["qom-type"] = "authz-simple", ["id"] = "who", ["identity"] = identity });

    private static Task AddAsync(QemuProcess machine, CredentialFolder folder, string endpoint) => machine.Qmp.ExecuteAsync(
        "object-add", new JsonObject { ["qom-type"] = "tls-creds-x509", ["id"] = "tls0", ["dir"] = folder.Path, ["endpoint"] = endpoint, ["sanity-check"] = false });
}
