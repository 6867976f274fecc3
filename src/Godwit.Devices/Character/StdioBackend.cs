using System.Text;
using Godwit.Linux;

namespace Godwit.Devices.Character;

/// <summary>The process's own terminal, or whatever its standard input and output are (QEMU: <c>stdio</c>; with commands <c>mon:stdio</c>).</summary>
public sealed class StdioBackend : ICharacterBackend
{
    private const int StandardInput = 0, StandardOutput = 1;

    private readonly CharacterInput _input;
    private readonly bool _mux;
    private readonly Action? _quit;
    private readonly Stream _in;
    private readonly Stream _out;
    private readonly bool _isStandardOutput;
    private readonly Lock _outLock = new();
    private readonly RawTerminal? _terminal;
    private TerminalEscape _escape;
    private volatile bool _disposed;

    /// <param name="deviceLock">The machine's lock.</param>
    /// <param name="mux">Ctrl-A begins a command, and Ctrl-C goes to the guest; without, Ctrl-C is a signal to this process, as in QEMU.</param>
    /// <param name="quit">Ctrl-A x; called on a thread of the backend, without the lock.</param>
    /// <param name="input">Other than the standard input, then no terminal.</param>
    /// <param name="output">Other than the standard output.</param>
    public StdioBackend(Lock deviceLock, bool mux, Action? quit = null, Stream? input = null, Stream? output = null)
    {
        _input = new CharacterInput(deviceLock);
        _mux = mux;
        _quit = quit;
        if (input is null)
            _terminal = RawTerminal.TryEnter(StandardInput, keepSignals: !mux);
        _in = input ?? Console.OpenStandardInput();
        _isStandardOutput = output is null;
        _out = output ?? Console.OpenStandardOutput();
    }

    public bool CanWrite => !_isStandardOutput || FileReadiness.CanWrite(StandardOutput);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_outLock)
        {
            try
            {
                _out.Write(bytes);
                _out.Flush();
            }
            catch (IOException)
            {
                // Nobody reads it any more; that mustn't stop the guest.
            }
        }
    }

    public void Attach(ICharacterFrontend frontend)
    {
        _input.Attach(frontend);
        new Thread(ReadInput) { IsBackground = true, Name = "stdio" }.Start();
    }

    public void AcceptInput() => _input.Deliver();

    /// <summary>Gives the terminal back. A read of the standard input may go on; what it gets is dropped.</summary>
    public void Dispose()
    {
        _disposed = true;
        _input.Dispose();
        _terminal?.Dispose();
    }

    private void ReadInput()
    {
        var bytes = new byte[256];
        try
        {
            int count;
            while ((count = _in.Read(bytes)) > 0 && !_disposed)
                Take(bytes.AsSpan(0, count));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The terminal is gone: no more input.
        }
    }

    private void Take(Span<byte> bytes)
    {
        if (!_mux)
        {
            _input.Add(bytes);
            return;
        }

        var inputs = 0;
        foreach (var key in bytes)
        {
            var meaning = _escape.Next(key);
            if (meaning == TerminalKey.Input)
            {
                // Moved to the front, over what was looked at already.
                bytes[inputs++] = key;
                continue;
            }

            _input.Add(bytes[..inputs]);
            inputs = 0;
            Do(meaning);
        }

        _input.Add(bytes[..inputs]);
    }

    private void Do(TerminalKey command)
    {
        switch (command)
        {
            case TerminalKey.Help:
                Say(TerminalEscape.Help);
                break;
            case TerminalKey.Quit:
                Say("\ngodwit: terminated\n");
                _quit?.Invoke();
                break;
            case TerminalKey.Break:
                _input.AddBreak();
                break;
            case TerminalKey.Monitor:
                Say("\ngodwit: there is no monitor here\n");
                break;
        }
    }

    // A terminal that takes nothing must not keep the key from being obeyed.
    private void Say(string text)
    {
        if (CanWrite)
            Write(Encoding.UTF8.GetBytes(text));
    }
}
