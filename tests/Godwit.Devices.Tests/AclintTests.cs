using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class AclintTests
{
    private const ulong Mtimecmp = VirtDevices.Mtimer, Mtime = VirtDevices.Mtimer + 0x7ff8;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_timer_accesses_read_as_in_QEMU(int seed)
    {
        using var both = new SideBySide();

        both.Play(seed, 3000, VirtDevices.Mtimer, [0, 4, 8, 12, 16, 0x100, 0x7ff0, 0x7ff8, 0x7ffc], [4, 4, 8, 8, 2], maxStep: 1_000_000);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void The_timers_lines_go_up_and_down_as_in_QEMU(int seed)
    {
        using var both = new SideBySide();
        both.Qemu.Ask("irq_intercept_out /machine/unattached/device[1]");
        var random = new Random(seed);
        // QEMU takes lines for low when it begins to intercept them.
        bool[] lines = [true, true];
        both.Write(Mtimecmp, 8, 0);
        both.Write(Mtimecmp + 8, 8, 0);
        for (var i = 0; i < 1000; i++)
        {
            var hart = (ulong)random.Next(2);
            switch (random.Next(5))
            {
                case 0:
                    both.Write(Mtimecmp + 8 * hart, 8, both.Read(Mtime, 8) + (ulong)random.Next(-10, 1000));
                    break;
                case 1:
                    both.Write(Mtimecmp + 8 * hart + 4, 4, (ulong)random.Next(2) * uint.MaxValue);
                    break;
                case 2 when random.Next(5) == 0:
                    both.Write(Mtime, 8, (ulong)random.NextInt64(1_000_000));
                    break;
                default:
                    // Whole ticks: QEMU's timers fire up to one tick late, ours when mtime is there.
                    both.Step(random.Next(1, 500) * 100);
                    break;
            }

            both.Read(Mtime, 4);
            foreach (var change in both.Qemu.Interrupts)
                lines[int.Parse(change.Split(' ')[2])] = change.Contains("raise", StringComparison.Ordinal);
            both.Qemu.Interrupts.Clear();
            Assert.Equal(lines, both.Ours.TimerLines);
        }
    }

    [Fact]
    public void A_software_interrupt_reads_back_and_is_the_harts_own()
    {
        using var both = new SideBySide();
        both.Play(5, 500, VirtDevices.Swi + 8, [0, 4, 8, 0x100, 0x3ff0], [4, 4, 1, 2]);

        both.Ours.Write(VirtDevices.Swi + 4, 4, 3);
        Assert.Equal([false, true], both.Ours.Software);
        Assert.Equal(1u, both.Ours.Read(VirtDevices.Swi + 4, 4));
        Assert.Equal(0u, both.Ours.Read(VirtDevices.Swi, 4));
        both.Ours.Write(VirtDevices.Swi + 4, 4, 2);
        Assert.Equal([false, false], both.Ours.Software);
    }

    [Fact]
    public void A_hart_is_told_when_a_time_comes_and_never_past_the_clocks_end()
    {
        using var ours = new VirtDevices();
        var timer = ours.MtimerDevice;
        ours.Clock.Step(123_456);
        var changes = 0;
        timer.TimeChanged = () => changes++;
        ours.Write(Mtime, 8, 5000);

        Assert.Equal(1, changes);
        Assert.Equal(5000u, timer.Time);
        Assert.Equal(123_400 + 700, timer.ToNanoseconds(5007));
        Assert.Equal(123_400 - 200, timer.ToNanoseconds(4998));
        Assert.Equal(0, timer.ToNanoseconds(0));
        Assert.Equal(long.MaxValue, timer.ToNanoseconds(ulong.MaxValue));
        Assert.Equal(long.MaxValue, timer.ToNanoseconds(ulong.MaxValue / 100));
    }

    [Fact]
    public void A_loaded_timer_fires_when_it_would_have()
    {
        using var source = new VirtDevices();
        source.Clock.Step(1_000_000);
        source.Write(Mtimecmp + 8, 8, source.MtimerDevice.Time + 50);
        source.MtimerDevice.BeforeSave();
        using var destination = new VirtDevices();
        var (from, to) = (source.MtimerDevice.State, destination.MtimerDevice.State);
        to.TimeDelta = from.TimeDelta;
        from.Timecmp.CopyTo(to.Timecmp, 0);
        from.Timers.CopyTo(to.Timers, 0);
        destination.Clock.Set(1_000_000);
        destination.MtimerDevice.AfterLoad();
        destination.TimerLines[1] = false;

        destination.Clock.Step(4999);
        Assert.False(destination.TimerLines[1]);
        destination.Clock.Step(1);

        Assert.True(destination.TimerLines[1]);
        Assert.Equal(source.MtimerDevice.Time + 50, destination.MtimerDevice.Time);
    }
}
