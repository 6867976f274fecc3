using Godwit.Devices.Clock;
using Godwit.Devices.GoldfishRtc;
using Godwit.Devices.Interrupts;
using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class GoldfishRtcTests : IDisposable
{
    private const ulong Rtc = VirtDevices.RtcBase, TimeLow = 0, TimeHigh = 4, AlarmLow = 8, AlarmHigh = 12, InterruptEnabled = 16, ClearAlarm = 20, AlarmStatus = 24,
        ClearInterrupt = 28;

    private readonly VirtualClock _clock = new(new Lock());
    private ulong _now = 1_700_000_000_500_000_000;
    private bool _line;

    public void Dispose() => _clock.Dispose();

    /// <summary>All but the time itself; alarms in the past, for QEMU's follow the host's clock.</summary>
    [Fact]
    public void Registers_read_as_in_QEMU()
    {
        using var both = new SideBySide();

        both.Play(1, 500, Rtc, [AlarmLow, InterruptEnabled, ClearAlarm, AlarmStatus, ClearInterrupt, 0x20, 0x24], [4, 4, 4, 1, 2]);
        both.Read(VirtDevices.PlicBase + 0x1000, 4);
        both.Write(Rtc + AlarmHigh, 4, 0x7000_0000);
        both.Write(Rtc + AlarmLow, 4, 5);
        both.Read(Rtc + AlarmHigh, 4);
        both.Read(Rtc + AlarmLow, 4);
        Assert.Equal(1u, both.Read(Rtc + AlarmStatus, 4));
        both.Write(Rtc + ClearAlarm, 4, 0);
        Assert.Equal(0u, both.Read(Rtc + AlarmStatus, 4));
    }

    [Fact]
    public void The_time_is_QEMUs_to_two_seconds_and_can_be_set()
    {
        using var both = new SideBySide();
        var qemu = both.Qemu.Read(Rtc + TimeLow, 4) | (both.Qemu.Read(Rtc + TimeHigh, 4) << 32);
        var ours = both.Ours.Read(Rtc + TimeLow, 4) | (both.Ours.Read(Rtc + TimeHigh, 4) << 32);
        Assert.InRange((long)(qemu - ours), -2_000_000_000, 2_000_000_000);

        // The upper half stays until the lower one is read again.
        both.Write(Rtc + TimeHigh, 4, 0x1234);
        both.Ours.Read(Rtc + TimeLow, 4);
        Assert.Equal(0x1234u, both.Ours.Read(Rtc + TimeHigh, 4));
        both.Qemu.Read(Rtc + TimeLow, 4);
        both.Read(Rtc + TimeHigh, 4);
    }

    [Fact]
    public void An_alarm_interrupts_when_the_calendar_reaches_it()
    {
        var rtc = Create();
        Assert.Equal(1_700_000_000_000_000_000u, Time(rtc));
        rtc.Write(InterruptEnabled, 4, 1);
        SetAlarm(rtc, Time(rtc) + 1000);

        Pass(999);
        Assert.Equal(1u, rtc.Read(AlarmStatus, 4));
        Assert.False(_line);
        Pass(1);

        Assert.True(_line);
        Assert.Equal(0u, rtc.Read(AlarmStatus, 4));
        rtc.Write(ClearInterrupt, 4, 1);
        Assert.False(_line);
    }

    [Fact]
    public void An_alarm_that_came_due_in_a_pause_interrupts_after_it()
    {
        var rtc = Create();
        rtc.Write(InterruptEnabled, 4, 1);
        SetAlarm(rtc, Time(rtc) + 1_000_000);

        _now += 5_000_000;
        Assert.False(_line);
        rtc.AfterPause();

        Assert.True(_line);
    }

    [Fact]
    public void A_loaded_clock_shows_the_sources_time()
    {
        var source = Create();
        source.Write(TimeHigh, 4, 0x2000_0000);
        var destination = Create();
        destination.State.TickOffset = source.State.TickOffset;
        destination.AfterLoad();
        Assert.Equal(Time(source), Time(destination));

        var older = Create();
        older.State.TickOffsetVmstate = source.State.TickOffset + _now - (ulong)_clock.Now;
        older.AfterLoad(version: 2);
        Assert.Equal(Time(source), Time(older));
    }

    private static void SetAlarm(GoldfishRtcDevice rtc, ulong time)
    {
        rtc.Write(AlarmHigh, 4, time >> 32);
        rtc.Write(AlarmLow, 4, (uint)time);
    }

    private static ulong Time(GoldfishRtcDevice rtc) => rtc.Read(TimeLow, 4) | (rtc.Read(TimeHigh, 4) << 32);

    private GoldfishRtcDevice Create() => new(new InterruptLine(level => _line = level), _clock, () => _now);

    private void Pass(long nanoseconds)
    {
        _now += (ulong)nanoseconds;
        _clock.Step(nanoseconds);
    }
}
