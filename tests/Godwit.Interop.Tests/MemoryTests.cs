using System.Globalization;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>What a receive takes of memory doesn't grow with the guest.</summary>
public sealed class MemoryTests
{
    private const long MaxResident = 300L << 20;

    [Fact]
    public async Task A_guest_of_64_GiB_is_received_in_less_than_300_MB()
    {
        using var folder = new TemporaryFolder();
        await using var source = await QemuProcess.StartAsync(
            Peers.Path("qemu-system-x86_64"),
            ["-M", "pc,memory-backend=m", "-object", "memory-backend-ram,id=m,size=64G,reserve=off", "-m", "64G", "-S", "-nodefaults", "-display", "none"]);
        await source.Qmp.SetParametersAsync(new() { ["max-bandwidth"] = 0 });
        using var receive = GodwitCommand.Start("receive", $"unix:{folder.File("in")}", "-o", folder.File("out"), "--json");
        await receive.WaitForErrorAsync("waiting");
        var watching = Task.Run(() => PeakAsync(receive.ProcessId));

        await source.Qmp.MigrateAsync($"unix:{folder.File("in")}");
        var result = await receive.WaitAsync();

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.InRange(await watching, 1L << 20, MaxResident);
        Assert.Contains($"\"pages-zero\": {(64L << 30) / 4096 / 1000000}", result.Output, StringComparison.Ordinal);
    }

    /// <returns>The most bytes that the process had in memory, as the kernel keeps count.</returns>
    private static async Task<long> PeakAsync(int process)
    {
        var peak = 0L;
        while (true)
        {
            try
            {
                var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
                if (line is null)
                    return peak;
                peak = 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                return peak;
            }

            await Task.Delay(20);
        }
    }
}
