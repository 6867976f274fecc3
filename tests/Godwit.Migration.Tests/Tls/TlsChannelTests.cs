using Godwit.Linux;
using Godwit.Migration.Channels;
using Godwit.Migration.Tls;
using Godwit.Testing;

namespace Godwit.Migration.Tests.Tls;

/// <summary>Both ends of an encrypted channel here.</summary>
public sealed class TlsChannelTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Certificates _certificates = new(rsa: false);
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("NORMAL")]
    [InlineData("NORMAL:-VERS-TLS1.2")]
    public async Task Bytes_go_both_ways_at_once(string priority)
    {
        var (client, server) = await ConnectAsync(priority: priority);
        using (client)
        using (server)
        {
            var there = Bytes(3_000_000, 1);
            var back = Bytes(2_000_000, 2);
            var writes = new[] { Task.Run(() => { client.Write(there); client.CloseWrite(); }), Task.Run(() => { server.Write(back); server.CloseWrite(); }) };
            var reads = await Task.WhenAll(Task.Run(() => ReadAll(server)), Task.Run(() => ReadAll(client))).WaitAsync(Patience);
            await Task.WhenAll(writes).WaitAsync(Patience);

            Assert.True(there.AsSpan().SequenceEqual(reads[0]));
            Assert.True(back.AsSpan().SequenceEqual(reads[1]));
        }
    }

    [Fact]
    public async Task What_lies_apart_is_written_in_order()
    {
        var (client, server) = await ConnectAsync();
        using (client)
        using (server)
        {
            using var gather = new GatherBuffer();
            var expected = new List<byte>();
            for (var i = 0; i < 50; i++)
            {
                var part = Bytes(4096 + i, i);
                part.CopyTo(gather.Scratch(part.Length));
                gather.Copied(part.Length);
                expected.AddRange(part);
            }

            var read = Task.Run(() => ReadAll(server));
            client.Write(gather);
            client.CloseWrite();

            Assert.Equal(expected, await read.WaitAsync(Patience));
        }
    }

    /// <summary>A wait that ends in silence, even within a record, leaves the channel as it was.</summary>
    [Fact]
    public async Task Silence_is_told_and_reading_goes_on()
    {
        var (client, server) = await ConnectAsync();
        using (client)
        using (server)
        {
            Assert.False(server.WaitReadable(20));
            client.Write([1, 2, 3]);
            Assert.True(server.WaitReadable(5000));
            Assert.True(server.WaitReadable(0));
            var bytes = new byte[8];
            Assert.Equal(3, server.ReadAll(bytes.AsSpan(0, 3)));
            Assert.Equal([1, 2, 3], bytes[..3]);
            Assert.False(server.WaitReadable(20));
            client.Write([4]);
            Assert.Equal(1, server.Read(bytes));
            client.CloseWrite();
            Assert.True(server.WaitReadable(5000));
            Assert.Equal(0, server.Read(bytes));
        }
    }

    /// <summary>Nothing may lie unread in a socket that is closed: it would be reset.</summary>
    [Fact]
    public async Task A_handshake_leaves_nothing_to_read()
    {
        var (client, server) = await ConnectAsync();
        using (client)
        using (server)
        {
            await Task.Delay(50);
            Assert.False(_below![0].WaitReadable(0));
            Assert.False(_below[1].WaitReadable(0));
        }
    }

    [Fact]
    public async Task Shutdown_wakes_a_blocked_reader_and_a_blocked_writer()
    {
        var (client, server) = await ConnectAsync();
        using (client)
        using (server)
        {
            var read = Task.Run(() => Record.Exception(() => { _ = server.Read(new byte[1]); }));
            var write = Task.Run(() => Record.Exception(() =>
            {
                for (var i = 0; i < 10_000; i++)
                    server.Write(new byte[1 << 16]);
            }));
            await Task.Delay(100);
            Assert.False(read.IsCompleted || write.IsCompleted);
            server.Shutdown();

            Assert.True(await read.WaitAsync(Patience) is null or IOException);
            Assert.IsAssignableFrom<IOException>(await write.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task A_handshake_with_somebody_else_fails_or_is_cancelled()
    {
        var credentials = Load(TlsEndpoint.Server);
        var (client, server) = Pair();
        using (client)
        {
            client.Write("QEVM, and no TLS at all"u8);
            Assert.StartsWith("TLS handshake failed: ", Assert.Throws<TlsRefusedException>(() => TlsChannel.Server(server, credentials, null, CancellationToken.None)).Message, StringComparison.Ordinal);
        }

        (client, server) = Pair();
        using var silent = client;
        using var cancel = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Run(() => TlsChannel.Server(server, credentials, null, cancel.Token)).WaitAsync(Patience));
    }

    [Theory]
    [InlineData("127.0.0.1", null)]
    [InlineData("localhost", null)]
    [InlineData("other.example.com", "Certificate does not match the hostname other.example.com")]
    [InlineData("127.0.0.2", "Certificate does not match the hostname 127.0.0.2")]
    [InlineData("", "Certificate does not match the hostname ")]
    [InlineData(null, "No hostname for certificate validation")]
    public async Task The_host_must_be_the_one_that_was_asked_for(string? hostname, string? refusal) => Assert.Equal(refusal, await RefusalAsync(hostname: hostname, byServer: false));

    [Fact]
    public async Task Whom_nobody_knows_is_refused_unless_nobody_looks()
    {
        using var others = new Certificates(rsa: false);
        var other = others.Folder();
        Assert.Equal("The certificate hasn't got a known issuer", await RefusalAsync(clientFolder: other, byServer: false));
        Assert.Equal("The certificate hasn't got a known issuer", await RefusalAsync(clientFolder: other, clientVerifies: false, byServer: true));
        Assert.Equal("Verify failed: No certificate was found.", await RefusalAsync(clientFolder: _certificates.Folder(client: null), byServer: true));
        Assert.Null(await RefusalAsync(clientFolder: other, clientVerifies: false, serverVerifies: false, byServer: true));
    }

    [Fact]
    public async Task A_revoked_certificate_is_refused()
    {
        var folder = _certificates.Folder();
        _certificates.Revoke(folder, [1, 2, 3, 99]);
        Assert.Null(await RefusalAsync(serverFolder: folder, clientFolder: folder, byServer: true));
        _certificates.Revoke(folder, [1, 2, 3, 99], folder.ClientSerial);
        Assert.Equal("The certificate has been revoked", await RefusalAsync(serverFolder: folder, byServer: true, clientFolder: folder));
        _certificates.Revoke(folder, folder.ServerSerial);
        Assert.Equal("The certificate has been revoked", await RefusalAsync(serverFolder: folder, clientFolder: folder, byServer: false));
    }

    [Fact]
    public async Task An_expired_peer_is_refused() =>
        Assert.Equal(
            "The certificate is not trusted",
            await RefusalAsync(clientFolder: _certificates.Folder(new CredentialShape { Until = DateTimeOffset.UtcNow.AddMinutes(-5) }), byServer: true, sanityCheck: false));

    [Fact]
    public async Task Who_may_not_come_is_refused_by_name()
    {
        Assert.Equal($"TLS x509 authz check for {Certificates.ClientIdentity} is denied", await RefusalAsync(authorize: static _ => false, byServer: true));
        Assert.Null(await RefusalAsync(authorize: static n => n == Certificates.ClientIdentity, byServer: true));
        Assert.Equal("Cannot find QAuthZ object ID nobody", await RefusalAsync(authorize: static _ => new SecurityObjects().Authorization("nobody").Allows(""), byServer: true));
    }

    public void Dispose()
    {
        _certificates.Dispose();
        _folder.Dispose();
    }

    private Channel[]? _below;

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] ReadAll(Channel channel)
    {
        using var all = new MemoryStream();
        var buffer = new byte[10_000];
        while (channel.Read(buffer) is > 0 and var count)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    private TlsCredentials Load(TlsEndpoint endpoint, CredentialFolder? folder = null, bool verify = true, string? priority = null, bool sanityCheck = true) => TlsCredentialFiles.Load(
        new TlsCredentialOptions { Folder = (folder ?? _certificates.Folder()).Path, Endpoint = endpoint, VerifyPeer = verify, Priority = priority, SanityCheck = sanityCheck });

    private (Channel Client, Channel Server) Pair()
    {
        using var listener = ChannelListener.Listen(MigrationUri.Parse("tcp:127.0.0.1:0"));
        var client = ChannelConnector.Connect(listener.Address, returnPath: true);
        var server = listener.Accept(CancellationToken.None);
        _below = [client, server];
        return (client, server);
    }

    private async Task<(TlsChannel Client, TlsChannel Server)> ConnectAsync(string? priority = null)
    {
        var (client, server) = Pair();
        var serving = Task.Run(() => TlsChannel.Server(server, Load(TlsEndpoint.Server, priority: priority), null, CancellationToken.None));
        var encrypted = TlsChannel.Client(client, Load(TlsEndpoint.Client, priority: priority), "localhost", CancellationToken.None);
        return (encrypted, await serving.WaitAsync(Patience));
    }

    private async Task<string?> RefusalAsync(
        bool byServer,
        string? hostname = "localhost",
        CredentialFolder? clientFolder = null,
        CredentialFolder? serverFolder = null,
        bool clientVerifies = true,
        bool serverVerifies = true,
        Func<string, bool>? authorize = null,
        bool sanityCheck = true)
    {
        var (client, server) = Pair();
        var credentials = Load(TlsEndpoint.Server, serverFolder, serverVerifies);
        var serving = Task.Run(() => Open(() => TlsChannel.Server(server, credentials, authorize, CancellationToken.None)));
        var connecting = Task.Run(() => Open(() => TlsChannel.Client(client, Load(TlsEndpoint.Client, clientFolder, clientVerifies, sanityCheck: sanityCheck), hostname, CancellationToken.None)));
        var results = await Task.WhenAll(connecting, serving).WaitAsync(Patience);
        return results[byServer ? 1 : 0];
    }

    private static string? Open(Func<TlsChannel> open)
    {
        try
        {
            open().Dispose();
            return null;
        }
        catch (TlsRefusedException e)
        {
            return e.Message;
        }
    }
}
