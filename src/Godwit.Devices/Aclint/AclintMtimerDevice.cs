using Godwit.Devices.Clock;
using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.Aclint;

/// <summary>The machine timer: mtime for all, mtimecmp and an interrupt for each hart
/// (QEMU: <c>riscv.aclint.mtimer</c>, <c>hw/intc/riscv_aclint.c</c>).</summary>
public sealed class AclintMtimerDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes; on the board it starts <see cref="AclintSwiDevice.RegionSize"/> above the CLINT's base.</summary>
    public const ulong RegionSize = 0x8000;

    /// <summary>mtime's rate in hertz (QEMU: <c>RISCV_ACLINT_DEFAULT_TIMEBASE_FREQ</c>).</summary>
    public const long Frequency = 10_000_000;

    private const long NanosecondsPerTick = 1_000_000_000 / Frequency;
    private const ulong MtimecmpBase = 0, MtimeLow = 0x7ff8, MtimeHigh = MtimeLow + 4;
    private const ulong BytesPerHart = 8;

    private readonly VirtualClock _clock;
    private readonly InterruptLine[] _lines;
    private readonly ClockTimer[] _timers;

    // A copy of the state's, for harts that read the time without the machine's lock.
    private ulong _delta;

    /// <param name="lines">MTIP of each hart.</param>
    public AclintMtimerDevice(VirtualClock clock, IReadOnlyList<InterruptLine> lines)
    {
        _clock = clock;
        _lines = [.. lines];
        _timers = [.. _lines.Select(line => clock.CreateTimer(line.Raise))];
        State = new AclintMtimerState(_lines.Length);
    }

    public string Name => "riscv.aclint.mtimer";

    public AccessSizes Sizes => new(4, 8, 4, 8);

    public AclintMtimerState State { get; }

    /// <summary>Called when mtime has been set, so that harts set their own timers (stimecmp) anew; with the machine's lock held.</summary>
    public Action? TimeChanged { get; set; }

    /// <summary>mtime now. For any thread.</summary>
    public ulong Time => Ticks + Volatile.Read(ref _delta);

    private ulong Ticks => (ulong)(_clock.Now / NanosecondsPerTick);

    /// <summary>When mtime reaches a value: nanoseconds of the virtual clock, 0 if that was before the clock began,
    /// <see cref="long.MaxValue"/> if it is past the clock's end.</summary>
    public long ToNanoseconds(ulong time)
    {
        var ticks = Ticks;
        var now = ticks + Volatile.Read(ref _delta);
        if (time <= now)
            return now - time > ticks ? 0 : (long)(ticks - (now - time)) * NanosecondsPerTick;
        var ahead = time - now;
        const ulong limit = (ulong)(long.MaxValue / NanosecondsPerTick);
        return ahead > limit - ticks ? long.MaxValue : (long)(ticks + ahead) * NanosecondsPerTick;
    }

    public ulong Read(ulong offset, int size)
    {
        var hart = (int)((offset - MtimecmpBase) / BytesPerHart);
        if (hart < _timers.Length)
            return Part(State.Timecmp[hart], high: (offset & 4) != 0, size);
        return offset switch
        {
            MtimeLow => Part(Time, high: false, size),
            MtimeHigh => Part(Time, high: true, size),
            _ => 0,
        };
    }

    public void Write(ulong offset, int size, ulong value)
    {
        var hart = (int)((offset - MtimecmpBase) / BytesPerHart);
        if (hart < _timers.Length)
        {
            State.Timecmp[hart] = Merge(State.Timecmp[hart], high: (offset & 4) != 0, size, value);
            Compare(hart);
        }
        else if (offset is MtimeLow or MtimeHigh)
        {
            SetTime(Merge(Time, high: offset == MtimeHigh, size, value));
        }
    }

    /// <summary>mtime becomes 0; mtimecmp stays, as the specification leaves it open.</summary>
    public void Reset() => SetTime(0);

    /// <summary>Fills <see cref="AclintMtimerState.Timers"/>.</summary>
    public void BeforeSave()
    {
        for (var hart = 0; hart < _timers.Length; hart++)
            State.Timers[hart] = _timers[hart].IsSet ? _timers[hart].Deadline : -1;
    }

    /// <summary>Goes on from <see cref="State"/>. The lines' levels come with the harts (mip).</summary>
    public void AfterLoad()
    {
        Volatile.Write(ref _delta, State.TimeDelta);
        for (var hart = 0; hart < _timers.Length; hart++)
        {
            if (State.Timers[hart] >= 0)
                _timers[hart].Set(State.Timers[hart]);
            else
                _timers[hart].Cancel();
        }

        TimeChanged?.Invoke();
    }

    /// <summary>Goes on from the compare registers of <see cref="State"/>, all that QEMU up to 10.0 saves: time runs as since power-on.</summary>
    public void AfterLoadOfCompareRegisters()
    {
        State.TimeDelta = 0;
        Volatile.Write(ref _delta, 0);
        for (var hart = 0; hart < _timers.Length; hart++)
        {
            _timers[hart].Cancel();
            Compare(hart);
        }

        TimeChanged?.Invoke();
    }

    private void SetTime(ulong time)
    {
        State.TimeDelta = time - Ticks;
        Volatile.Write(ref _delta, State.TimeDelta);
        for (var hart = 0; hart < _timers.Length; hart++)
            Compare(hart);
        TimeChanged?.Invoke();
    }

    private void Compare(int hart)
    {
        // As in QEMU, a timer that was set for later stays when the value is in the past: the line is up already.
        if (State.Timecmp[hart] <= Time)
        {
            _lines[hart].Raise();
            return;
        }

        _lines[hart].Lower();
        var deadline = ToNanoseconds(State.Timecmp[hart]);
        if (deadline == long.MaxValue)
            _timers[hart].Cancel();
        else
            _timers[hart].Set(deadline);
    }

    private static ulong Part(ulong value, bool high, int size) => high ? value >> 32 : size == 4 ? (uint)value : value;

    private static ulong Merge(ulong old, bool high, int size, ulong value)
    {
        if (size == 8)
            return value;
        return high ? (value << 32) | (uint)old : (old & ~(ulong)uint.MaxValue) | (uint)value;
    }
}
