using Godwit.Devices.Clock;
using Godwit.Migration;
using Godwit.Wire.VmState;

namespace Godwit.Machine.Virt;

/// <summary>Section <c>timer</c>: the virtual clock (QEMU: <c>system/cpu-timers.c</c>, version 2). It comes before everything that has a deadline.</summary>
internal sealed class ClockVmState(VirtualClock clock)
{
    private const long Longest = long.MaxValue / 2;

    private long _ticks;

    public static VmStateDescription<ClockVmState> Declaration { get; } = new("timer", 2, 1)
    {
        Fields =
        [
            // The host's ticks; no guest of this board sees them.
            Field<ClockVmState>.Int64("cpu_ticks_offset", s => s._ticks, (s, v) => s._ticks = v),
            Field<ClockVmState>.Unused(8),
            Field<ClockVmState>.Int64("cpu_clock_offset", s => s.Now, (s, v) => s.Now = v).Since(2),
        ],
    };

    private long Now
    {
        get => clock.Now;
        set => clock.Set(value is >= 0 and < Longest ? value : throw new InvalidDataException($"{value} ns is no time since a machine began"));
    }

    public IDeviceSection Section() => new VmStateSection<ClockVmState>("timer", 0, Declaration, this);
}
