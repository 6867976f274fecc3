using System.Text;

namespace Godwit.Devices.Character;

/// <summary>A line of commands for the machine, typed where the guest's console is (QEMU: the human monitor behind Ctrl-A c).</summary>
/// <param name="say">Shows text on the terminal.</param>
/// <param name="execute">What a command answers; called on the terminal's thread, without the machine's lock.</param>
internal sealed class TerminalMonitor(Action<string> say, Func<string, string> execute)
{
    private const string Prompt = "(godwit) ";
    private const byte Backspace = 8, Delete = 127, ClearLine = 21;
    private const int MaxLine = 4096;

    private readonly StringBuilder _line = new();

    /// <summary>Whether keys are for the monitor now.</summary>
    public bool HasFocus { get; private set; }

    /// <summary>Takes the keys, or gives them back to the guest.</summary>
    public void Toggle()
    {
        HasFocus = !HasFocus;
        _line.Clear();
        say(HasFocus ? "\n" + Prompt : "\n");
    }

    public void Type(byte key)
    {
        switch (key)
        {
            case (byte)'\r' or (byte)'\n':
                say("\n");
                var line = _line.ToString().Trim();
                _line.Clear();
                if (line.Length > 0)
                    say(execute(line));
                say(Prompt);
                break;
            case Backspace or Delete when _line.Length > 0:
                _line.Length--;
                say("\b \b");
                break;
            case ClearLine:
                say(string.Concat(Enumerable.Repeat("\b \b", _line.Length)));
                _line.Clear();
                break;
            case >= (byte)' ' and < Delete when _line.Length < MaxLine:
                _line.Append((char)key);
                say(((char)key).ToString());
                break;
        }
    }
}
