using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Monitor;

/// <summary>Where a machine's monitor listens: <c>unix:PATH</c>, <c>tcp:HOST:PORT</c>, or the path alone.</summary>
public sealed record QmpAddress
{
    private readonly string _host = "";
    private readonly int _port;

    private QmpAddress(string path) => Path = path;

    private QmpAddress(string host, int port)
    {
        _host = host;
        _port = port;
    }

    /// <summary>Of a socket in the file system; null for another.</summary>
    public string? Path { get; }

    /// <exception cref="FormatException">It is no such address; the message says what would be.</exception>
    public static QmpAddress Parse(string text)
    {
        const string Unix = "unix:", Tcp = "tcp:";
        if (text.StartsWith(Tcp, StringComparison.Ordinal))
        {
            var rest = text[Tcp.Length..];
            var colon = rest.LastIndexOf(':');
            return colon >= 0 && int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue
                ? new QmpAddress(rest[..colon].Trim('[', ']'), port)
                : throw new FormatException($"'{text}': tcp: takes HOST:PORT, with a port from 1 to {ushort.MaxValue}");
        }

        var path = text.StartsWith(Unix, StringComparison.Ordinal) ? text[Unix.Length..] : text;
        return path.Length > 0 ? OfPath(path) : throw new FormatException($"'{text}' names no monitor; it is unix:PATH, tcp:HOST:PORT or a path");
    }

    /// <summary>The address of a socket in the file system.</summary>
    /// <exception cref="FormatException">The path is too long for one.</exception>
    public static QmpAddress OfPath(string path)
    {
        try
        {
            _ = new UnixDomainSocketEndPoint(path);
            return new QmpAddress(path);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"'{path}' is too long for a socket", e);
        }
    }

    public override string ToString() => Path ?? (_host.Contains(':', StringComparison.Ordinal) ? $"tcp:[{_host}]:{_port}" : $"tcp:{_host}:{_port}");

    /// <exception cref="IOException">Nobody listens there.</exception>
    internal async Task<Stream> OpenAsync(CancellationToken cancellation)
    {
        var socket = Path is null ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            EndPoint point = Path is null ? new DnsEndPoint(_host.Length == 0 ? "localhost" : _host, _port) : new UnixDomainSocketEndPoint(Path);
            await socket.ConnectAsync(point, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"{this}: {e.Message}", e);
        }
    }

    /// <summary>A socket that listens there; one that is in the file system takes the place of an older one.</summary>
    /// <exception cref="IOException">It can't be listened on.</exception>
    internal Socket Listen()
    {
        Socket? socket = null;
        try
        {
            EndPoint point = Path is null ? new IPEndPoint(Resolve(), _port) : new UnixDomainSocketEndPoint(Path);
            socket = new Socket(point.AddressFamily, SocketType.Stream, Path is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
            if (Path is null)
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            else
                File.Delete(Path);
            socket.Bind(point);
            socket.Listen(1);
            return socket;
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException or IOException)
        {
            socket?.Dispose();
            throw new IOException($"{this}: {e.Message}", e);
        }
    }

    private IPAddress Resolve() => _host.Length == 0 ? IPAddress.Any : IPAddress.TryParse(_host, out var address) ? address : Dns.GetHostAddresses(_host)[0];
}
