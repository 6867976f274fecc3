using Godwit.Devices.Character;

namespace Godwit.Cli.Run;

internal enum SerialKind
{
    /// <summary>Nobody reads, nobody writes.</summary>
    Null,

    /// <summary>The command's own input and output.</summary>
    Stdio,

    /// <summary>Output goes to a file.</summary>
    File,

    /// <summary>A unix socket that is listened on or connected to.</summary>
    Unix,
}

/// <summary>Who is at the other end of the serial port.</summary>
/// <param name="Path">Of the file or socket.</param>
/// <param name="Multiplexed">QEMU's <c>mon:</c>: Ctrl-A is the machine's, not the guest's.</param>
/// <param name="Server">Listens, rather than connects.</param>
/// <param name="Wait">The machine starts only when somebody has connected.</param>
internal sealed record SerialBackend(SerialKind Kind, string? Path = null, bool Multiplexed = false, bool Server = false, bool Wait = false)
{
    private const string Option = "-serial";

    public static SerialBackend Null { get; } = new(SerialKind.Null);

    public static SerialBackend Terminal { get; } = new(SerialKind.Stdio, Multiplexed: true);

    public static SerialBackend Parse(string text)
    {
        switch (text)
        {
            case "stdio":
                return new SerialBackend(SerialKind.Stdio);
            case "mon:stdio":
                return Terminal;
            case "null" or "none":
                return Null;
        }

        if (text.StartsWith("file:", StringComparison.Ordinal) && text.Length > "file:".Length)
            return new SerialBackend(SerialKind.File, text["file:".Length..]);
        if (!text.StartsWith("unix:", StringComparison.Ordinal) || text.Length == "unix:".Length)
            throw new UsageException($"{Option}: '{text}' is not supported; stdio, mon:stdio, null, none, file:PATH and unix:PATH[,server=on][,wait=off] are");
        var keys = new KeyValueList(Option, text["unix:".Length..], "path");
        var path = keys.Take("path");
        var server = keys.TakeBool("server") ?? false;
        var wait = keys.TakeBool("wait");
        keys.Finish();
        if (wait is not null && !server)
            throw new UsageException($"{Option}: wait= goes with server=on");
        return new SerialBackend(SerialKind.Unix, path, Server: server, Wait: server && wait != false);
    }

    /// <summary>What makes it, given the machine's lock.</summary>
    /// <param name="quit">What Ctrl-A x does.</param>
    /// <param name="monitor">What answers the commands after Ctrl-A c.</param>
    public Func<Lock, ICharacterBackend> Factory(Action quit, HumanMonitor monitor) => Kind switch
    {
        SerialKind.Stdio => deviceLock => new StdioBackend(deviceLock, Multiplexed, quit, monitor: monitor.Execute),
        SerialKind.File => _ => new FileBackend(Path!),
        SerialKind.Unix => deviceLock => new UnixSocketBackend(deviceLock, Path!, Server, Wait),
        _ => _ => new NullBackend(),
    };
}
