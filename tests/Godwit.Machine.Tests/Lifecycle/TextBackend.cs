using System.Text;
using Godwit.Devices.Character;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>The other end of the serial port: keeps what the guest prints, and types.</summary>
internal sealed class TextBackend(Lock deviceLock) : ICharacterBackend
{
    private readonly StringBuilder _output = new();
    private readonly Queue<byte> _input = new();
    private ICharacterFrontend? _frontend;

    /// <summary>All of it, without carriage returns.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString().Replace("\r", "", StringComparison.Ordinal);
        }
    }

    /// <summary>Lines that are whole.</summary>
    public string[] Lines => Output.Split('\n')[..^1];

    /// <summary>Hands bytes over for the guest to read when it likes.</summary>
    public void Type(string text)
    {
        lock (deviceLock)
        {
            foreach (var b in Encoding.Latin1.GetBytes(text))
                _input.Enqueue(b);
            AcceptInput();
        }
    }

    public async Task WaitForAsync(Func<string, bool> wanted, string what, int seconds = 60)
    {
        for (var end = Environment.TickCount64 + (seconds * 1000L); !wanted(Output); await Task.Delay(2))
        {
            if (Environment.TickCount64 > end)
                throw new TimeoutException($"no {what}: {Output[Math.Max(0, Output.Length - 500)..]}");
        }
    }

    public Task WaitForAsync(string text) => WaitForAsync(o => o.Contains(text, StringComparison.Ordinal), text);

    public bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_output)
            _output.Append(Encoding.Latin1.GetString(bytes));
        return true;
    }

    public void Attach(ICharacterFrontend frontend) => _frontend = frontend;

    public void AcceptInput()
    {
        while (_frontend is { CanReceive: > 0 } && _input.TryDequeue(out var next))
            _frontend.Receive([next]);
    }

    public void Dispose()
    {
    }
}
