using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Lifecycle;

public sealed partial class LinuxPauseTests
{
    /// <summary>Its log comes whole and in order, its clock goes on, and it powers off.</summary>
    [Fact]
    public async Task Linux_boots_though_it_is_paused_a_hundred_times()
    {
        using var machine = TestMachine.Of(new VirtOptions(new LoadRequest(CpuModel.Default, 1, 512UL << 20)
        {
            Kernel = Peers.Linux("riscv64", "vmlinuz"),
            Initrd = Peers.Linux("riscv64", "initrd.gz"),
            CommandLine = "console=ttyS0",
        }));
        var random = new Random(6);
        var pauses = 0;
        for (machine.Machine.Continue(); !machine.Serial.Output.Contains("godwit guest ready\n", StringComparison.Ordinal) && pauses < 8000; pauses++)
        {
            await Task.Delay(random.Next(120));
            machine.Machine.Pause();
            await Task.Delay(random.Next(3));
            machine.Machine.Continue();
        }

        machine.Serial.Type("echo $((6*7)); poweroff -f\n");
        Assert.Equal(0, await machine.EndedAsync());
        Assert.InRange(pauses, 50, 7999);
        Assert.Contains("\n42\n", machine.Serial.Output, StringComparison.Ordinal);
        var log = machine.Serial.Lines.SkipWhile(l => !l.Contains("Linux version", StringComparison.Ordinal)).TakeWhile(l => !l.Contains("Run /init", StringComparison.Ordinal)).ToList();
        Assert.True(log.Count > 100, $"{log.Count} lines");
        Assert.All(log, l => Assert.Matches(LogLine(), l));
        var times = log.Select(l => decimal.Parse(LogLine().Match(l).Groups["seconds"].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(times.Order(), times);
        Assert.DoesNotContain("rcu_sched self-detected stall", machine.Serial.Output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\[ *(?<seconds>[0-9]+\.[0-9]{6})\] ", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LogLine();
}
