using System.Diagnostics;
using System.Text;

namespace Godwit.Testing;

/// <summary>A machine in a process of its own, whose serial port is its standard input and output.</summary>
public sealed class GuestConsole : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly Task _reading;
    private int _read;

    private GuestConsole(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, _output), ReadAsync(process.StandardError, _errors));
    }

    /// <summary>Since the machine was started.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>All that the guest has printed, without carriage returns.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public string[] Lines => Output.Split('\n');

    public static GuestConsole Start(MachineCommand command, IEnumerable<string> options)
    {
        var start = new ProcessStartInfo(command.Program, [.. command.Arguments, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        return new GuestConsole(Process.Start(start)!);
    }

    /// <summary>Waits until the guest prints a text behind the one that was last waited for.</summary>
    /// <returns>What it printed before the text.</returns>
    /// <exception cref="TimeoutException">It didn't, or the machine ended; the message has what it printed last.</exception>
    public async Task<string> WaitForAsync(string text, TimeSpan patience)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            // Asked before the output is looked at: a machine may print the text and end at once.
            var ended = _reading.IsCompleted;
            var output = Output;
            var at = output.IndexOf(text, _read, StringComparison.Ordinal);
            if (at >= 0)
            {
                var before = output[_read..at];
                _read = at + text.Length;
                return before;
            }

            if (ended || watch.Elapsed > patience)
                throw new TimeoutException($"the guest did not print '{text}'{(ended ? " and the machine ended" : "")}. {Last()}");
            await Task.Delay(5);
        }
    }

    /// <summary>Types a line.</summary>
    public async Task TypeAsync(string line)
    {
        await _process.StandardInput.WriteAsync(line + "\n");
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Types a command at the shell's prompt.</summary>
    /// <returns>What it printed, without the echo of the command.</returns>
    public async Task<string> CommandAsync(string command, TimeSpan patience)
    {
        await TypeAsync(command);
        await WaitForAsync(command + "\n", patience);
        return (await WaitForAsync("\n# ", patience, orAtOnce: "# ")).TrimEnd('\n');
    }

    /// <returns>The exit code of the machine's process.</returns>
    /// <exception cref="TimeoutException">It does not end.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan patience)
    {
        using var source = new CancellationTokenSource(patience);
        try
        {
            await _process.WaitForExitAsync(source.Token);
            await _reading.WaitAsync(source.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"the machine does not end. {Last()}", e);
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> WaitForAsync(string text, TimeSpan patience, string orAtOnce)
    {
        // A command without output leaves the prompt right behind its echo.
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < patience && Output.Length < _read + orAtOnce.Length && !_reading.IsCompleted)
            await Task.Delay(5);
        return string.CompareOrdinal(Output, _read, orAtOnce, 0, orAtOnce.Length) == 0
            ? await WaitForAsync(orAtOnce, patience)
            : await WaitForAsync(text, patience);
    }

    private string Last()
    {
        lock (_errors)
            return $"Its last lines: {string.Join(" | ", Lines.TakeLast(8))}; its errors: {_errors}";
    }

    private static async Task ReadAsync(StreamReader reader, StringBuilder into)
    {
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer) is > 0 and var count)
        {
            lock (into)
                into.Append(new string(buffer, 0, count).Replace("\r", "", StringComparison.Ordinal));
        }
    }
}
