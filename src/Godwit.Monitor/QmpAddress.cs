using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Monitor;

/// <summary>Where a machine's monitor listens: <c>unix:PATH</c>, <c>tcp:HOST:PORT</c>, or the path alone.</summary>
public sealed record QmpAddress
{
    private readonly string _host = "";
    private readonly string _path = "";
    private readonly int _port;

    private QmpAddress(string path) => _path = path;

    private QmpAddress(string host, int port)
    {
        _host = host;
        _port = port;
    }

    /// <exception cref="FormatException">It is no such address; the message says what would be.</exception>
    public static QmpAddress Parse(string text)
    {
        const string Unix = "unix:", Tcp = "tcp:";
        if (text.StartsWith(Tcp, StringComparison.Ordinal))
        {
            var rest = text[Tcp.Length..];
            var colon = rest.LastIndexOf(':');
            return colon > 0 && int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue
                ? new QmpAddress(rest[..colon].Trim('[', ']'), port)
                : throw new FormatException($"'{text}': tcp: takes HOST:PORT");
        }

        var path = text.StartsWith(Unix, StringComparison.Ordinal) ? text[Unix.Length..] : text;
        return path.Length > 0 ? new QmpAddress(path) : throw new FormatException($"'{text}' names no monitor; it is unix:PATH, tcp:HOST:PORT or a path");
    }

    /// <summary>The address of a socket in the file system.</summary>
    public static QmpAddress OfPath(string path) => new(path);

    public override string ToString() => _port == 0 ? _path : _host.Contains(':', StringComparison.Ordinal) ? $"tcp:[{_host}]:{_port}" : $"tcp:{_host}:{_port}";

    /// <exception cref="IOException">Nobody listens there.</exception>
    internal async Task<Stream> OpenAsync(CancellationToken cancellation)
    {
        var socket = _port == 0 ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            EndPoint point = _port == 0 ? new UnixDomainSocketEndPoint(_path) : new DnsEndPoint(_host, _port);
            await socket.ConnectAsync(point, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new IOException($"{this}: {e.Message}", e);
        }
    }
}
