namespace Godwit.Devices.Character;

/// <summary>What a key of a multiplexed terminal means.</summary>
internal enum TerminalKey
{
    /// <summary>It is for the guest.</summary>
    Input,

    /// <summary>It begins a command.</summary>
    Prefix,
    Help,
    Quit,
    Break,
    Monitor,

    /// <summary>It was no command.</summary>
    Unknown,
}

/// <summary>Tells commands from input: Ctrl-A and a letter (QEMU: <c>chardev/char-mux.c</c>).</summary>
internal struct TerminalEscape
{
    /// <summary>Ctrl-A.</summary>
    public const byte Prefix = 1;

    public const string Help = """

        Ctrl-A h       this help
        Ctrl-A x       quit
        Ctrl-A b       send a break
        Ctrl-A c       to the monitor and back
        Ctrl-A Ctrl-A  send Ctrl-A

        """;

    private bool _prefixed;

    public TerminalKey Next(byte key)
    {
        if (!_prefixed)
        {
            _prefixed = key == Prefix;
            return _prefixed ? TerminalKey.Prefix : TerminalKey.Input;
        }

        _prefixed = false;
        return key switch
        {
            Prefix => TerminalKey.Input,
            (byte)'h' or (byte)'?' => TerminalKey.Help,
            (byte)'x' => TerminalKey.Quit,
            (byte)'b' => TerminalKey.Break,
            (byte)'c' => TerminalKey.Monitor,
            _ => TerminalKey.Unknown,
        };
    }
}
