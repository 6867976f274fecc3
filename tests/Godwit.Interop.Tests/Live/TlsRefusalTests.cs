using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>One end doesn't take the other for whom it must be. The source's guest runs on, a destination that took nobody goes on waiting, and a better try moves the guest.</summary>
public sealed class TlsRefusalTests : IDisposable
{
    private readonly Certificates _certificates = new();
    private readonly Certificates _others = new();

    public static TheoryData<string, string, string, string> Refusals
    {
        get
        {
            var all = new TheoryData<string, string, string, string>();
            foreach (var (from, to, capabilities) in new[] { ("qemu", "godwit", "return-path"), ("godwit", "qemu", "return-path,multifd"), ("godwit", "qemu", "return-path"), ("qemu", "godwit", "return-path,multifd") })
            {
                foreach (var why in new[] { "host", "authority", "issuer", "certificate", "authz" })
                    all.Add(from, to, capabilities, why);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Nobody_loses_the_guest(string from, string to, string capabilities, string why)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from);
        await guest.LiveOnAsync();
        await using var destination = await guest.DestinationAsync(to);
        var good = _certificates.Folder();
        await AddAsync(destination, "tls0", good, "server");
        await destination.Qmp.ExecuteAsync("object-add", new JsonObject { ["qom-type"] = "authz-simple", ["id"] = "nobody", ["identity"] = "CN=nobody" });
        await destination.Qmp.ExecuteAsync("object-add", new JsonObject { ["qom-type"] = "authz-simple", ["id"] = "source", ["identity"] = Certificates.ClientIdentity });
        await AddAsync(guest.Machine, "tls0", good, "client");
        await AddAsync(guest.Machine, "tls1", Source(why, good), "client");
        foreach (var machine in new[] { destination, guest.Machine })
        {
            await machine.Qmp.SetCapabilitiesAsync(capabilities.Split(','));
            await machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "tls0", ["multifd-channels"] = 2, ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        }

        await destination.Qmp.SetParametersAsync(new JsonObject { ["tls-authz"] = why == "authz" ? "nobody" : "source" });
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "tls1", ["tls-hostname"] = why == "host" ? "other.example.com" : "localhost" });
        var uri = $"tcp:127.0.0.1:{LiveGuest.FreePort()}";
        await LiveGuest.IncomingAsync(destination, uri);
        await guest.Machine.Qmp.MigrateAsync(uri);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var info = await guest.Machine.Qmp.WaitForMigrationAsync(patience.Token);
        Assert.Equal("failed", info.GetProperty("status").GetString());
        Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
        var words = why is "host" or "authority" ? info.GetProperty("error-desc").GetString()! : await ErrorsAsync(destination);
        Assert.Contains(
            why switch
            {
                "host" => "Certificate does not match the hostname other.example.com",
                "authority" or "issuer" => "The certificate hasn't got a known issuer",
                "certificate" => "Verify failed: No certificate was found.",
                _ => $"TLS x509 authz check for {Certificates.ClientIdentity} is denied",
            },
            words,
            StringComparison.Ordinal);
        await guest.LiveOnAsync(2);
        // The host's name is looked at when the handshake is over: to the destination the source has come, and broken off.
        if (why == "host" && !capabilities.Contains("multifd", StringComparison.Ordinal))
        {
            await LiveGuest.WaitForEndAsync(destination, patience.Token);
            await LiveGuest.WaitForErrorAsync(destination, "magic", patience.Token);
            return;
        }

        Assert.Equal("inmigrate", await destination.Qmp.QueryStatusAsync());
        // With channels nobody is the main one before it speaks. QEMU has taken it for that, and waits for its others.
        if (why == "host" && to == "qemu")
            return;

        await destination.Qmp.SetParametersAsync(new JsonObject { ["tls-authz"] = "source" });
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "tls0", ["tls-hostname"] = "" });
        await guest.Machine.Qmp.MigrateAsync(uri);
        info = await guest.Machine.Qmp.WaitForMigrationAsync(patience.Token);
        Assert.True(info.GetProperty("status").GetString() == "completed", $"{info}; {guest.Machine.Errors}; {destination.Errors}");
        await LiveGuest.WaitForRunStateAsync(destination, "running", patience.Token);
        await guest.TakenByAsync(destination);
        await guest.LiveOnAsync();
    }

    /// <summary>What isn't there, or is for the other end, is told alike by both.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public async Task Wrong_credentials_are_named(string machine)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), machine);
        await guest.LiveOnAsync();
        await AddAsync(guest.Machine, "server", _certificates.Folder(), "server");
        await guest.Machine.Qmp.ExecuteAsync("object-add", new JsonObject { ["qom-type"] = "secret", ["id"] = "secret", ["data"] = "x" });
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        foreach (var (id, words) in new[]
        {
            ("nobody", "No TLS credentials with id 'nobody'"), ("secret", "Object with id 'secret' is not TLS credentials"), ("server", "Expected TLS credentials for a client endpoint"),
        })
        {
            await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = id });
            await guest.Machine.Qmp.MigrateAsync($"tcp:{listener.LocalEndpoint}");
            var info = await guest.Machine.Qmp.WaitForMigrationAsync();
            Assert.Equal(("failed", words), (info.GetProperty("status").GetString(), info.GetProperty("error-desc").GetString()));
            Assert.Equal("running", await guest.Machine.Qmp.QueryStatusAsync());
            // Both finish what a failed migration leaves to do after they told of it.
            await guest.LiveOnAsync(1);
        }
    }

    /// <summary>A destination that can't let anybody in ends, as QEMU's does.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public async Task A_destination_without_credentials_ends(string machine)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu");
        await AddAsync(guest.Machine, "tls0", _certificates.Folder(), "client");
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "tls0" });
        await using var destination = await guest.DestinationAsync(machine);
        await destination.Qmp.SetParametersAsync(new JsonObject { ["tls-creds"] = "nobody" });
        var uri = $"tcp:127.0.0.1:{LiveGuest.FreePort()}";
        await LiveGuest.IncomingAsync(destination, uri);
        await guest.Machine.Qmp.MigrateAsync(uri);
        var info = await guest.Machine.Qmp.WaitForMigrationAsync();

        Assert.Equal("failed", info.GetProperty("status").GetString());
        Assert.Contains("No TLS credentials with id 'nobody'", await ErrorsAsync(destination), StringComparison.Ordinal);
        await guest.LiveOnAsync();
    }

    /// <summary>Of all that QEMU has, by both ways to make an object.</summary>
    [Theory]
    [InlineData("tls-creds-psk", "object type 'tls-creds-psk' is not supported: .NET's TLS knows no pre-shared keys")]
    [InlineData("tls-creds-anon", "object type 'tls-creds-anon' is not supported: .NET's TLS knows no anonymous sessions")]
    public async Task Other_credentials_are_refused_by_name(string type, string words)
    {
        var command = MachineCommand.Live("godwit");
        await using var machine = await QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. GuestKind.Heartbeat().Options, "-S"]);
        foreach (var endpoint in new[] { "client", "server" })
        {
            var refused = await Assert.ThrowsAsync<QmpException>(() =>
                machine.Qmp.ExecuteAsync("object-add", new JsonObject { ["qom-type"] = type, ["id"] = "tls0", ["dir"] = machine.Folder, ["endpoint"] = endpoint }));
            Assert.Contains(words, refused.Message, StringComparison.Ordinal);
            var result = await GodwitCommand.RunAsync([.. command.Arguments, "-bios", "none", "-object", $"{type},id=tls0,dir={machine.Folder},endpoint={endpoint}"]);
            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.Contains(words, Assert.Single(result.Errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    /// <summary>By the command line alone: credentials with an encrypted key, its password, a list of who may come, and the parameters.</summary>
    [Theory]
    [InlineData("qemu", "godwit")]
    [InlineData("godwit", "qemu")]
    public async Task The_command_line_sets_all_of_it(string from, string to)
    {
        var folder = _certificates.Folder(new CredentialShape { EncryptsKeys = true });
        string[] Options(string endpoint) =>
        [
            "-object", $"secret,id=password,data={Certificates.Password}",
            "-object", folder.Object(endpoint, ",passwordid=password"),
            "-object", """{"qom-type": "authz-list", "id": "list", "policy": "deny", "rules": [{"match": "*CN=source.example.com", "policy": "allow", "format": "glob"}]}""",
            "-global", "migration.tls-creds=tls0",
            "-global", "migration.tls-authz=list",
        ];
        var uri = $"tcp:127.0.0.1:{LiveGuest.FreePort()}";
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from, Options("client"));
        await guest.LiveOnAsync();
        var command = MachineCommand.Live(to);
        await using var destination = await QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. GuestKind.Heartbeat().Options, .. Options("server"), "-incoming", uri]);
        await guest.Machine.Qmp.MigrateAsync(uri);
        var info = await guest.Machine.Qmp.WaitForMigrationAsync();
        Assert.True(info.GetProperty("status").GetString() == "completed", $"{info}; {destination.Errors}");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await LiveGuest.WaitForRunStateAsync(destination, "running", patience.Token);
        await guest.TakenByAsync(destination);
        await guest.LiveOnAsync();
    }

    public void Dispose()
    {
        _certificates.Dispose();
        _others.Dispose();
    }

    private CredentialFolder Source(string why, CredentialFolder good) => why switch
    {
        "authority" => _others.Folder(),
        "issuer" => _certificates.Folder(clientOf: _others),
        "certificate" => _certificates.Folder(client: null),
        _ => good,
    };

    /// <summary>Its owner doesn't look at it first: the other end is to.</summary>
    private static Task AddAsync(QemuProcess machine, string id, CredentialFolder folder, string endpoint) => machine.Qmp.ExecuteAsync(
        "object-add", new JsonObject { ["qom-type"] = "tls-creds-x509", ["id"] = id, ["dir"] = folder.Path, ["endpoint"] = endpoint, ["sanity-check"] = false });

    private static async Task<string> ErrorsAsync(QemuProcess machine)
    {
        for (var i = 0; i < 200 && machine.Errors.Length == 0; i++)
            await Task.Delay(20);
        await Task.Delay(50);
        return machine.Errors;
    }
}
