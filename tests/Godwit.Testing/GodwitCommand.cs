using System.Diagnostics;
using System.Text;

namespace Godwit.Testing;

/// <param name="Output">Standard output, whole.</param>
/// <param name="Errors">Standard error, whole.</param>
public sealed record CommandResult(int ExitCode, string Output, string Errors);

/// <summary>The command itself, in a process of its own, as a user runs it.</summary>
public sealed class GodwitCommand : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private GodwitCommand(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Add(_output, e.Data);
        process.ErrorDataReceived += (_, e) => Add(_errors, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    public int ProcessId => _process.Id;

    public static GodwitCommand Start(params string[] arguments) => Start(Repository.Path("godwit"), arguments);

    /// <summary>A shell script that calls the command as <c>$GODWIT</c>.</summary>
    public static GodwitCommand StartShell(string script) => Start("/bin/bash", ["-c", script]);

    public static async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using var command = Start(arguments);
        return await command.WaitAsync();
    }

    /// <summary>Another program, such as a QEMU.</summary>
    public static async Task<CommandResult> RunProgramAsync(string program, string[] arguments)
    {
        using var command = Start(program, arguments);
        return await command.WaitAsync();
    }

    public static async Task<CommandResult> RunShellAsync(string script)
    {
        using var command = StartShell(script);
        return await command.WaitAsync();
    }

    public async Task<CommandResult> WaitAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await _process.WaitForExitAsync(patience.Token);
        lock (_output)
            return new CommandResult(_process.ExitCode, _output.ToString(), _errors.ToString());
    }

    /// <summary>Waits until standard error says something.</summary>
    public Task WaitForErrorAsync(string text) => WaitForAsync(_errors, text);

    /// <summary>Waits until standard output says something.</summary>
    public Task WaitForOutputAsync(string text) => WaitForAsync(_output, text);

    /// <summary>The address that <c>receive</c> says it waits on.</summary>
    public async Task<string> AddressAsync()
    {
        const string Words = "waiting for a migration on ";
        await WaitForErrorAsync(Words);
        lock (_output)
            return _errors.ToString().Split('\n').First(l => l.StartsWith(Words, StringComparison.Ordinal))[Words.Length..].Trim();
    }

    /// <param name="name">Such as INT, which Ctrl-C sends.</param>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static GodwitCommand Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["GODWIT"] = Repository.Path("godwit");
        return new GodwitCommand(Process.Start(start)!);
    }

    private async Task WaitForAsync(StringBuilder said, string text)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            lock (_output)
            {
                if (said.ToString().Contains(text, StringComparison.Ordinal))
                    return;
            }

            if (watch.Elapsed > TimeSpan.FromSeconds(30) || _process.HasExited)
                throw new TimeoutException($"godwit did not say '{text}': {_errors}");
            await Task.Delay(5);
        }
    }

    private void Add(StringBuilder builder, string? line)
    {
        lock (_output)
        {
            if (line is not null)
                builder.AppendLine(line);
        }
    }
}
