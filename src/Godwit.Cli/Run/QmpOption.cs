using Godwit.Monitor;

namespace Godwit.Cli.Run;

/// <summary>A QMP monitor that is listened for (QEMU: <c>-qmp</c>).</summary>
/// <param name="Wait">The machine starts only when somebody has connected.</param>
internal sealed record QmpOption(QmpAddress Address, bool Wait)
{
    private const string Option = "-qmp";

    public static QmpOption Parse(string text)
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
        try
        {
            return new QmpOption(QmpAddress.Parse($"{scheme}:{address}"), wait);
        }
        catch (FormatException e)
        {
            throw new UsageException($"{Option}: {e.Message}");
        }
    }
}
