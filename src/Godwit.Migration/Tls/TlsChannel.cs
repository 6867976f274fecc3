using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Godwit.Linux;
using Godwit.Migration.Channels;

namespace Godwit.Migration.Tls;

/// <summary>A channel encrypted over another one (QEMU: io/channel-tls.c). Where the other side closes the connection without saying so in TLS, reading ends as where it says
/// so: QEMU's main channel never does, nor do multifd channels before QEMU 10.0, and where a stream may end its own format tells.</summary>
public sealed class TlsChannel : Channel
{
    private const int GatherLength = 1 << 16;
    private const int AheadLength = 1 << 12;

    /// <summary>As much as an honest other side can have said unasked; who says more isn't waited for.</summary>
    private const int MaxUnread = 1 << 18;

    /// <summary>Who connects and says nothing for so long holds nobody up any longer.</summary>
    private static readonly TimeSpan ServerPatience = TimeSpan.FromSeconds(8);

    private readonly Channel _below;
    private readonly ChannelStream _stream;
    private readonly SslStream _ssl;
    private readonly byte[] _gathered = GC.AllocateUninitializedArray<byte>(GatherLength);
    private byte[] _ahead = [];
    private int _aheadStart;
    private volatile bool _isRead;
    private bool _writeClosed;

    private TlsChannel(Channel below)
        : base(below.Name)
    {
        _below = below;
        _stream = new ChannelStream(below);
        _ssl = new SslStream(_stream, leaveInnerStreamOpen: true);
    }

    public override bool IsBidirectional => true;

    /// <summary>The side that connects. The channel below goes with the result, and where it fails.</summary>
    /// <param name="hostname">Whom the other side's certificate must name; null: nobody is known to, which is an error where it is to be checked.</param>
    /// <param name="cancellation">Ends the handshake.</param>
    /// <exception cref="TlsRefusedException">The handshake failed, or the other side's certificate isn't good.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static TlsChannel Client(Channel below, TlsCredentials credentials, string? hostname, CancellationToken cancellation) => Shake(
        below,
        new PeerCheck(credentials, hostname, authorize: null),
        (ssl, check) => ssl.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            // QEMU sends no server name: GnuTLS wasn't told one.
            TargetHost = "",
            ClientCertificateContext = credentials.Own,
            EnabledSslProtocols = credentials.Protocols,
            AllowRenegotiation = false,
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = PeerCheck.Policy(credentials.Authorities, []),
            RemoteCertificateValidationCallback = check.Accepts,
        }),
        serves: false,
        cancellation);

    /// <summary>The side that was connected to. The channel below goes with the result, and where it fails.
    /// <para>With TLS 1.3 OpenSSL sends session tickets, which .NET can't keep it from. A QEMU that has no return path never reads what comes, and a socket that is closed
    /// with something unread in it drops what it hasn't sent yet: the end of the migration. So TLS 1.2 is spoken here, unless the priority excludes it.</para></summary>
    /// <param name="authorize">Whether somebody of that distinguished name may come; null: anybody whose certificate is good.</param>
    /// <param name="cancellation">Ends the handshake.</param>
    /// <exception cref="TlsRefusedException">The handshake failed, or the other side's certificate isn't good.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static TlsChannel Server(Channel below, TlsCredentials credentials, Func<string, bool>? authorize, CancellationToken cancellation) => Shake(
        below,
        new PeerCheck(credentials, hostname: null, authorize),
        (ssl, check) => ssl.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = credentials.Own,
            ClientCertificateRequired = credentials.VerifyPeer,
            EnabledSslProtocols = credentials.Protocols.HasFlag(SslProtocols.Tls12) ? SslProtocols.Tls12 : credentials.Protocols,
            AllowRenegotiation = false,
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = PeerCheck.Policy(credentials.Authorities, []),
            RemoteCertificateValidationCallback = check.Accepts,
        }),
        serves: true,
        cancellation);

    public override int Read(Span<byte> buffer)
    {
        if (_aheadStart == _ahead.Length)
        {
            _isRead = true;
            return Try(buffer, static (c, b) => c._ssl.Read(b));
        }

        var count = Math.Min(buffer.Length, _ahead.Length - _aheadStart);
        _ahead.AsSpan(_aheadStart, count).CopyTo(buffer);
        _aheadStart += count;
        return count;
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ssl.Write(bytes);
        }
        catch (Exception e) when (IsBroken(e))
        {
            throw Broken(e);
        }
    }

    /// <summary>As few records as it takes: a record for each page would be slow.</summary>
    public override void Write(GatherBuffer bytes)
    {
        var filled = 0;
        for (var part = 0; part < bytes.Count; part++)
        {
            for (var rest = bytes[part]; !rest.IsEmpty;)
            {
                var count = Math.Min(rest.Length, GatherLength - filled);
                rest[..count].CopyTo(_gathered.AsSpan(filled));
                rest = rest[count..];
                filled += count;
                if (filled < GatherLength)
                    continue;
                Write(_gathered);
                filled = 0;
            }
        }

        if (filled > 0)
            Write(_gathered.AsSpan(0, filled));
    }

    /// <summary>That bytes of a record have come doesn't say that any can be read: some are read ahead.</summary>
    public override bool? WaitReadable(int milliseconds)
    {
        if (_aheadStart < _ahead.Length)
            return true;
        if (_below.WaitReadable(0) is null)
            return null;
        var bytes = new byte[AheadLength];
        _stream.Patience = milliseconds;
        _isRead = true;
        try
        {
            var count = Try(bytes, static (c, b) => c._ssl.Read(b));
            _ahead = bytes[..count];
            _aheadStart = 0;
            return true;
        }
        catch (IOException) when (_stream.IsSilent)
        {
            return false;
        }
        finally
        {
            _stream.Patience = null;
        }
    }

    /// <summary>Says so in TLS, which QEMU's multifd channels from 10.0 on require, and then below it.</summary>
    public override void CloseWrite()
    {
        if (_writeClosed)
            return;
        _writeClosed = true;
        try
        {
            // Nothing waits: the stream below writes at once. Somebody who reads meanwhile would be in OpenSSL at the same time, which it doesn't bear;
            // QEMU's main channel, which is read from, never says so either.
            if (!_isRead)
                _ssl.ShutdownAsync().GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsBroken(e))
        {
            // The other side was faster: it is shut down already.
        }

        _below.CloseWrite();
    }

    public override void CloseRead() => _below.CloseRead();

    public override void Shutdown() => _below.Shutdown();

    public override void WaitForPeer() => _below.WaitForPeer();

    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        DropUnread();
        _ssl.Dispose();
        _stream.Dispose();
    }

    private static TlsChannel Shake(Channel below, PeerCheck check, Action<SslStream, PeerCheck> authenticate, bool serves, CancellationToken cancellation)
    {
        if (!below.IsBidirectional)
        {
            below.Dispose();
            throw new TlsRefusedException($"{below.Name}: TLS needs a connection that goes both ways");
        }

        var channel = new TlsChannel(below);
        using var patience = serves ? new CancellationTokenSource(ServerPatience) : new CancellationTokenSource();
        try
        {
            using (cancellation.Register(below.Shutdown))
            using (patience.Token.Register(below.Shutdown))
                authenticate(channel._ssl, check);
            cancellation.ThrowIfCancellationRequested();
            patience.Token.ThrowIfCancellationRequested();
            return channel;
        }
        catch (Exception e)
        {
            channel.Dispose();
            cancellation.ThrowIfCancellationRequested();
            if (patience.IsCancellationRequested)
                throw new TlsRefusedException($"TLS handshake failed: it wasn't over after {ServerPatience.TotalSeconds:0} s", e);
            if (e is OperationCanceledException)
                throw;
            throw new TlsRefusedException(check.Refusal ?? $"TLS handshake failed: {Innermost(e).Message}", e);
        }
    }

    /// <summary>What OpenSSL said tells more than what was made of it.</summary>
    private static Exception Innermost(Exception e)
    {
        while (e is AuthenticationException or CryptographicException or InvalidOperationException && e.InnerException is { } inner)
            e = inner;
        return e;
    }

    private static bool IsBroken(Exception e) => e is IOException or ObjectDisposedException or InvalidOperationException or CryptographicException or AuthenticationException;

    private IOException Broken(Exception e) => e as IOException ?? new IOException($"{Name}: {Innermost(e).Message}", e);

    private int Try(Span<byte> buffer, ReadInto read)
    {
        try
        {
            return read(this, buffer);
        }
        catch (Exception e) when (IsBroken(e))
        {
            throw Broken(e);
        }
    }

    /// <summary>A socket that is closed with something unread in it is reset, and what it has written and not sent yet is lost.</summary>
    private void DropUnread()
    {
        var bytes = new byte[AheadLength];
        try
        {
            for (var left = MaxUnread; left > 0 && _below.WaitReadable(0) == true && _below.Read(bytes) is > 0 and var count; left -= count)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // It is broken: nothing is lost by it any more.
        }
    }

    private delegate int ReadInto(TlsChannel channel, Span<byte> buffer);
}
