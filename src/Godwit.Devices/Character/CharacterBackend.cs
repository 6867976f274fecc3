namespace Godwit.Devices.Character;

/// <summary>Makes the backend that <c>-serial</c> names.</summary>
public static class CharacterBackend
{
    private const string Known = "stdio, mon:stdio, file:PATH, unix:PATH[,server=on|off][,wait=on|off], null, none";

    /// <param name="option">As QEMU takes it: stdio, mon:stdio, file:PATH, unix:PATH,server=on,wait=off, null or none.</param>
    /// <param name="deviceLock">The machine's lock.</param>
    /// <param name="quit">What Ctrl-A x of mon:stdio does.</param>
    /// <exception cref="ArgumentException">No such backend; the message is for the user.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    public static ICharacterBackend Parse(string option, Lock deviceLock, Action? quit = null)
    {
        switch (option)
        {
            case "stdio":
                return new StdioBackend(deviceLock, mux: false);
            case "mon:stdio":
                return new StdioBackend(deviceLock, mux: true, quit);
            case "null" or "none":
                return new NullBackend();
        }

        if (Strip(option, "file:") is { Length: > 0 } file)
            return new FileBackend(file);
        if (Strip(option, "unix:") is { Length: > 0 } socket)
            return ParseSocket(option, socket, deviceLock);
        throw Wrong($"no serial port '{option}': {Known}");
    }

    private static UnixSocketBackend ParseSocket(string option, string socket, Lock deviceLock)
    {
        var parts = socket.Split(',');
        bool server = false, wait = true, waitGiven = false;
        foreach (var part in parts.Skip(1))
        {
            switch (part)
            {
                case "server" or "server=on":
                    server = true;
                    break;
                case "server=off":
                    server = false;
                    break;
                case "wait" or "wait=on":
                    (wait, waitGiven) = (true, true);
                    break;
                case "nowait" or "wait=off":
                    (wait, waitGiven) = (false, true);
                    break;
                default:
                    throw Wrong($"'{part}' of the serial port '{option}' is not server=on|off or wait=on|off");
            }
        }

        if (parts[0].Length == 0)
            throw Wrong($"the serial port '{option}' names no path");
        if (waitGiven && !server)
            throw Wrong($"wait of the serial port '{option}' is for server=on");
        return new UnixSocketBackend(deviceLock, parts[0], server, wait);
    }

    private static string? Strip(string option, string prefix) => option.StartsWith(prefix, StringComparison.Ordinal) ? option[prefix.Length..] : null;

    // Without a parameter's name: the message is one line for the user.
#pragma warning disable MA0015
    private static ArgumentException Wrong(string message) => new(message);
#pragma warning restore MA0015
}
