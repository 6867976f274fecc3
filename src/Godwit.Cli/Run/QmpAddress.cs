using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Cli.Run;

/// <summary>Where a QMP monitor is listened for.</summary>
/// <param name="Wait">The machine is made only when somebody has connected.</param>
internal sealed record QmpAddress(EndPoint Address, bool Wait)
{
    private const string Option = "-qmp";

    public static QmpAddress Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon < 0 ? text : text[..colon];
        if (scheme is not ("unix" or "tcp") || colon + 1 == text.Length)
            throw new UsageException($"{Option}: '{text}' is not supported; unix:PATH,server=on,wait=off and tcp:HOST:PORT,server=on,wait=off are");
        var keys = new KeyValueList(Option, text[(colon + 1)..], "address");
        var address = keys.Take("address") ?? throw new UsageException($"{Option}: '{text}' has no address");
        var server = keys.TakeBool("server") ?? false;
        var wait = keys.TakeBool("wait") ?? true;
        keys.Finish();
        if (!server)
            throw new UsageException($"{Option}: only server=on is supported");
        return new QmpAddress(scheme == "unix" ? Unix(address) : Tcp(address), wait);
    }

    private static UnixDomainSocketEndPoint Unix(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException)
        {
            throw new UsageException($"{Option}: '{path}' is too long for a socket");
        }
    }

    private static IPEndPoint Tcp(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > ushort.MaxValue)
            throw new UsageException($"{Option}: tcp: takes HOST:PORT, with a port from 0 to {ushort.MaxValue}");
        var host = text[..colon].Trim('[', ']');
        if (host.Length == 0)
            return new IPEndPoint(IPAddress.Any, port);
        try
        {
            return new IPEndPoint(IPAddress.TryParse(host, out var address) ? address : Dns.GetHostAddresses(host)[0], port);
        }
        catch (SocketException e)
        {
            throw new UsageException($"{Option}: {host}: {e.Message}");
        }
    }
}
