using System.Text.Json.Nodes;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest moves over encrypted channels, between Godwit's TLS (OpenSSL) and QEMU's (GnuTLS).</summary>
public sealed class TlsMoveTests
{
    [Theory]
    [InlineData("qemu", "godwit", "unix", "return-path")]
    [InlineData("qemu", "godwit", "tcp", "return-path,multifd")]
    [InlineData("qemu", "godwit", "tcp", "multifd")]
    [InlineData("godwit", "qemu", "tcp", "return-path")]
    [InlineData("godwit", "qemu", "tcp", "")]
    [InlineData("godwit", "qemu", "unix", "return-path,multifd")]
    [InlineData("godwit", "qemu", "tcp", "multifd")]
    [InlineData("godwit", "godwit", "tcp", "return-path")]
    [InlineData("godwit", "godwit", "tcp", "return-path,multifd")]
    [InlineData("qemu-10.0", "godwit", "tcp", "return-path,multifd")]
    public async Task The_guest_lives_on(string from, string to, string transport, string capabilities)
    {
        using var certificates = new Certificates(rsa: transport == "tcp");
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=random"), from);
        await guest.LiveOnAsync();
        await guest.MoveAsync(Move(certificates.Folder(), to, transport, capabilities));
        await guest.LiveOnAsync();
    }

    private static LiveMove Move(CredentialFolder folder, string to, string transport, string capabilities) => new(to, transport, capabilities)
    {
        Rounds = true,
        Parameters = "tls-creds=tls0,tls-hostname=localhost",
        Prepare = async (machine, source) => await machine.Qmp.ExecuteAsync("object-add", new JsonObject
        {
            ["qom-type"] = "tls-creds-x509",
            ["id"] = "tls0",
            ["dir"] = folder.Path,
            ["endpoint"] = source ? "client" : "server",
        }),
    };
}
