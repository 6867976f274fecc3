using System.Diagnostics;
using System.Globalization;

namespace Godwit.SideBySide;

/// <summary>A process whose time and peak memory are taken from outside.</summary>
internal sealed class Measured : IDisposable
{
    private readonly Process _process;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Thread _watching;
    private long _peak;

    /// <param name="awaited">A line of standard error that <see cref="WaitForLine"/> waits for; null to throw it away.</param>
    public Measured(string program, IEnumerable<string> arguments, string? awaited = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", awaited is null ? "exec \"$@\" >/dev/null 2>&1" : "exec \"$@\" >/dev/null", "sh", program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardError = awaited is not null,
        };
        _process = Process.Start(start)!;
        _watching = new Thread(Watch) { IsBackground = true };
        _watching.Start();
    }

    /// <returns>The rest of the first line of standard error that begins with <paramref name="words"/>.</returns>
    public string WaitForLine(string words)
    {
        while (_process.StandardError.ReadLine() is { } line)
        {
            if (line.StartsWith(words, StringComparison.Ordinal))
                return line[words.Length..];
        }

        throw new IOException($"it ended without saying '{words}'");
    }

    public Sample Wait()
    {
        _process.WaitForExit();
        var seconds = _watch.Elapsed.TotalSeconds;
        _watching.Join();
        return _process.ExitCode == 0 ? new Sample(seconds, _peak) : throw new IOException($"exit code {_process.ExitCode}");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private void Watch()
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/status");
        do
        {
            try
            {
                var line = File.ReadLines(path).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
                if (line is not null)
                    _peak = Math.Max(_peak, 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                return;
            }
        }
        while (!_process.WaitForExit(3));
    }
}
