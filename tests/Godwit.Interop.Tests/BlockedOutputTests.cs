using System.Diagnostics;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

public sealed class BlockedOutputTests
{
    /// <summary>A reader that has stopped reading stops the guest's printing; the command still ends when it is told to.</summary>
    [Fact]
    public async Task A_machine_whose_output_nobody_reads_still_ends_at_a_signal()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(Repository.Path("godwit"),
            ["run", "-M", "virt", "-bios", "none", "-nographic", "-kernel", Repository.Path("guests", "heartbeat", "heartbeat.elf"), "-append", "pages=4 beat=1", "-pidfile", folder.File("pid")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        try
        {
            // A pipe holds 64 KiB; the guest prints more than that in a second.
            await Task.Delay(2500);
            using var kill = Process.Start("/bin/kill", ["-TERM", $"{process.Id}"]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await process.WaitForExitAsync(patience.Token);

            Assert.Equal(0, process.ExitCode);
            Assert.Empty(folder.Names);
            var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n')[..^1];
            Assert.True(lines.Length > 400, $"{lines.Length} lines");
            Assert.Equal(Enumerable.Range(1, lines.Length - 2).Select(n => (long)n), lines.Select(Heartbeat.Parse).OfType<Heartbeat>().Select(b => b.Beat));
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
