using System.Net;
using System.Net.Sockets;

namespace Godwit.Migration.Channels;

/// <summary>The receiving end of a migration address: waits where the address can be connected to, opens it where not.</summary>
public sealed class ChannelListener : IDisposable
{
    private readonly Socket? _socket;
    private readonly string? _unlink;
    private Channel? _opened;

    private ChannelListener(MigrationUri address, Socket? socket, string? unlink)
    {
        Address = address;
        _socket = socket;
        _unlink = unlink;
    }

    /// <summary>The address with the port that a <c>tcp:</c> listener got.</summary>
    public MigrationUri Address { get; }

    /// <summary>True where a source is yet to connect.</summary>
    public bool Waits => _socket is not null;

    /// <exception cref="IOException">The address can't be listened on, or read from.</exception>
    public static ChannelListener Listen(MigrationUri uri)
    {
        try
        {
            return uri.Scheme switch
            {
                MigrationScheme.Tcp => ListenTcp(uri),
                MigrationScheme.Unix => ListenUnix(uri),
                MigrationScheme.Exec => new ChannelListener(uri, null, null),
                _ => new ChannelListener(uri, null, null) { _opened = ChannelConnector.OpenForReading(uri) },
            };
        }
        catch (SocketException e)
        {
            throw new IOException($"Failed to bind socket to {ChannelConnector.Place(uri)}: {ChannelConnector.Reason(e, uri)}", e);
        }
    }

    /// <summary>Whether somebody has connected and wasn't accepted yet.</summary>
    public bool HasPending => _socket is not null && WaitPending(0);

    /// <summary>Waits until somebody has connected.</summary>
    /// <returns>False: nobody did.</returns>
    /// <exception cref="IOException">It listens no more.</exception>
    public bool WaitPending(int milliseconds)
    {
        try
        {
            return _socket!.Poll(TimeSpan.FromMilliseconds(milliseconds), SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"{Address}: {e.Message}", e);
        }
    }

    /// <summary>Waits for the source, or opens what needs no waiting.</summary>
    /// <exception cref="IOException">It can't be opened.</exception>
    public Channel Accept(CancellationToken cancellation)
    {
        if (_socket is null)
            return Interlocked.Exchange(ref _opened, null) ?? ChannelConnector.OpenForReading(Address);
        using var registration = cancellation.Register(_socket.Dispose);
        try
        {
            return new SocketChannel(_socket.Accept(), Address.ToString());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new IOException($"{Address}: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        Interlocked.Exchange(ref _opened, null)?.Dispose();
        if (_unlink is not null)
            File.Delete(_unlink);
    }

    private static ChannelListener ListenTcp(MigrationUri uri)
    {
        var address = uri.Host.Length == 0 ? IPAddress.Any : ChannelConnector.Resolve(uri);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, uri.Port));
            socket.Listen();
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return new ChannelListener(uri with { Port = port }, socket, null);
    }

    private static ChannelListener ListenUnix(MigrationUri uri)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            RemoveStale(uri.Path);
            socket.Bind(new UnixDomainSocketEndPoint(uri.Path));
            socket.Listen();
        }
        catch (ArgumentException e)
        {
            socket.Dispose();
            throw new IOException($"Failed to bind socket to {uri.Path}: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new ChannelListener(uri, socket, uri.Path);
    }

    /// <summary>Only a socket can't be opened for lack of a device (ENXIO); what opens is a file of somebody's.</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>A socket that nobody listens on any more is in the way; one that somebody does is an error, which Bind reports.</summary>
    private static void RemoveStale(string path)
    {
        if (!File.Exists(path) || !IsSocket(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // Not a socket, or not ours to remove: Bind says so.
        }
    }
}
