using Godwit.Devices.Clock;
using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.GoldfishRtc;

/// <summary>The calendar clock: nanoseconds since 1970, UTC, that follow the host's, and an alarm (QEMU: <c>goldfish_rtc</c>,
/// <c>hw/rtc/goldfish_rtc.c</c>).</summary>
public sealed class GoldfishRtcDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes.</summary>
    public const ulong RegionSize = 0x24;

    private const ulong TimeLow = 0x00, TimeHigh = 0x04, AlarmLow = 0x08, AlarmHigh = 0x0c,
        InterruptEnabled = 0x10, ClearAlarm = 0x14, AlarmStatus = 0x18, ClearInterrupt = 0x1c;

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly InterruptLine _line;
    private readonly VirtualClock _clock;
    private readonly Func<ulong> _hostTime;
    private readonly ClockTimer _alarm;

    /// <param name="hostTime">Nanoseconds since 1970; without it the host's clock.</param>
    public GoldfishRtcDevice(InterruptLine line, VirtualClock clock, Func<ulong>? hostTime = null)
    {
        _line = line;
        _clock = clock;
        _hostTime = hostTime ?? HostTime;
        _alarm = clock.CreateTimer(AlarmDue);
        // The guest's calendar begins at a whole second, as QEMU's does.
        var now = _hostTime();
        State.TickOffset = now / NanosecondsPerSecond * NanosecondsPerSecond - now;
    }

    public string Name => "goldfish_rtc";

    public AccessSizes Sizes => new(4, 4);

    public GoldfishRtcState State { get; } = new();

    private ulong Count => State.TickOffset + _hostTime();

    public ulong Read(ulong offset, int size)
    {
        switch (offset)
        {
            case TimeLow:
                var count = Count;
                State.TimeHigh = (uint)(count >> 32);
                return (uint)count;
            case TimeHigh:
                return State.TimeHigh;
            case AlarmLow:
                return (uint)State.AlarmNext;
            case AlarmHigh:
                return State.AlarmNext >> 32;
            case InterruptEnabled:
                return State.IrqEnabled;
            case AlarmStatus:
                return State.AlarmRunning;
            default:
                return 0;
        }
    }

    public void Write(ulong offset, int size, ulong value)
    {
        var now = Count;
        switch (offset)
        {
            case TimeLow:
                State.TickOffset += WithLow(now, value) - now;
                break;
            case TimeHigh:
                State.TickOffset += WithHigh(now, value) - now;
                break;
            case AlarmLow:
                State.AlarmNext = WithLow(State.AlarmNext, value);
                SetAlarm();
                break;
            case AlarmHigh:
                State.AlarmNext = WithHigh(State.AlarmNext, value);
                break;
            case InterruptEnabled:
                State.IrqEnabled = (uint)value & 1;
                UpdateInterrupt();
                break;
            case ClearAlarm:
                StopAlarm();
                break;
            case ClearInterrupt:
                State.IrqPending = 0;
                UpdateInterrupt();
                break;
        }
    }

    public void Reset()
    {
        _alarm.Cancel();
        State.AlarmNext = 0;
        State.AlarmRunning = State.IrqPending = State.IrqEnabled = 0;
    }

    /// <summary>To be called when the machine goes on after a pause: the calendar went on meanwhile, so an alarm is due earlier
    /// in the virtual clock's time.</summary>
    public void AfterPause()
    {
        if (State.AlarmRunning != 0)
            SetAlarm();
    }

    /// <summary>Goes on from <see cref="State"/>; as in QEMU an alarm that has passed, or none, is pending afterwards.</summary>
    /// <param name="version">Of the saved state; before 3 the offset is the older one.</param>
    public void AfterLoad(int version = 3)
    {
        if (version < 3)
            State.TickOffset = State.TickOffsetVmstate - (_hostTime() - (ulong)_clock.Now);
        SetAlarm();
    }

    private static ulong HostTime() => (ulong)(DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private static ulong WithLow(ulong old, ulong value) => (old & ~(ulong)uint.MaxValue) | (uint)value;

    private static ulong WithHigh(ulong old, ulong value) => (uint)old | (value << 32);


    private void SetAlarm()
    {
        var now = Count;
        if (State.AlarmNext <= now)
        {
            StopAlarm();
            Interrupt();
            return;
        }

        State.AlarmRunning = 1;
        var wait = State.AlarmNext - now;
        var clock = _clock.Now;
        if (wait > (ulong)(long.MaxValue - clock))
            _alarm.Cancel();
        else
            _alarm.Set(clock + (long)wait);
    }

    private void StopAlarm()
    {
        _alarm.Cancel();
        State.AlarmRunning = 0;
    }

    // The timer runs in the virtual clock's time, the alarm in the host's, which may have been set back.
    private void AlarmDue() => SetAlarm();

    private void Interrupt()
    {
        State.AlarmRunning = 0;
        State.IrqPending = 1;
        UpdateInterrupt();
    }

    private void UpdateInterrupt() => _line.Set((State.IrqPending & State.IrqEnabled) != 0);
}
