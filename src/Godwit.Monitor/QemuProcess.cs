using System.Diagnostics;
using System.Text;

namespace Godwit.Monitor;

/// <summary>A machine in a process of its own, with its monitor on a unix socket in a folder of its own.</summary>
public sealed class QemuProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private bool _disposed;

    private QemuProcess(Process process, string folder)
    {
        _process = process;
        Folder = folder;
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors)
                _errors.AppendLine(e.Data);
        };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>A folder that goes with the machine.</summary>
    public string Folder { get; }

    public QmpClient Qmp { get; private set; } = null!;

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The file that <c>-serial file:…</c> may write to.</summary>
    public string SerialPath => Path.Combine(Folder, "serial");

    /// <summary>What the machine has written to standard error.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString().Trim();
        }
    }

    /// <summary>All that the guest has printed.</summary>
    public string SerialText
    {
        get
        {
            if (!File.Exists(SerialPath))
                return "";
            using var stream = new FileStream(SerialPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd().Replace("\r", "", StringComparison.Ordinal);
        }
    }

    /// <summary>Lines the guest has printed whole.</summary>
    public string[] SerialLines => SerialText.Split('\n')[..^1];

    /// <param name="program">The QEMU binary.</param>
    /// <param name="arguments">Its options; <c>{folder}</c> in them becomes <see cref="Folder"/>.</param>
    /// <exception cref="IOException">It could not be started, or ended at once; the message has its own words.</exception>
    public static async Task<QemuProcess> StartAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation = default)
    {
        var folder = Directory.CreateTempSubdirectory("godwit-").FullName;
        var socket = Path.Combine(folder, "qmp");
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument.Replace("{folder}", folder, StringComparison.Ordinal));
        start.ArgumentList.Add("-qmp");
        start.ArgumentList.Add($"unix:{socket},server=on,wait=off");
        QemuProcess machine;
        try
        {
            machine = new QemuProcess(Process.Start(start)!, folder);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Directory.Delete(folder, recursive: true);
            throw new IOException($"{program}: {e.Message}", e);
        }

        try
        {
            machine.Qmp = await machine.ConnectAsync(socket, cancellation);
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the guest has printed a line that fits.</summary>
    /// <exception cref="TimeoutException">It didn't; the message has what it did print.</exception>
    public async Task<string> WaitForLineAsync(Func<string, bool> fits, TimeSpan patience, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (Array.Find(SerialLines, l => fits(l)) is { } line)
                return line;
            if (HasExited || watch.Elapsed > patience)
                throw new TimeoutException($"the guest did not print what was waited for; its last lines: {string.Join(" | ", SerialLines.TakeLast(5))}; QEMU: {Errors}");
            await Task.Delay(10, cancellation);
        }
    }

    /// <summary>Ends the machine and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (!_process.HasExited)
        {
            if (Qmp is not null)
                await QuitAsync();
            if (!_process.WaitForExit(Qmp is null ? TimeSpan.Zero : QuitPatience))
                _process.Kill();
        }

        if (Qmp is not null)
            await Qmp.DisposeAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task QuitAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(QuitPatience);
            await Qmp.ExecuteAsync("quit", null, patience.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It is on its way out, or will be ended.
        }
    }

    private async Task<QmpClient> ConnectAsync(string socket, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (File.Exists(socket))
                    return await QmpClient.ConnectAsync(socket, cancellation);
            }
            catch (IOException) when (watch.Elapsed < StartPatience)
            {
                // It made the socket and doesn't listen yet.
            }

            if (_process.HasExited)
                throw new IOException($"{_process.StartInfo.FileName} ended with exit code {_process.ExitCode}: {Errors}");
            if (watch.Elapsed >= StartPatience)
                throw new IOException($"{_process.StartInfo.FileName} opened no monitor");
            await Task.Delay(5, cancellation);
        }
    }
}
