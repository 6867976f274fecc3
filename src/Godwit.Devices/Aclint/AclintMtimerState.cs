namespace Godwit.Devices.Aclint;

/// <summary>What a migration carries of the timer (QEMU 11.1: <c>riscv_mtimer</c>, version 3; up to 10.0 <c>timecmp</c> alone).</summary>
/// <param name="harts">How many harts it serves.</param>
public sealed class AclintMtimerState(int harts)
{
    /// <summary>What is added to the virtual clock's ticks to get mtime; wraps.</summary>
    public ulong TimeDelta { get; set; }

    /// <summary>mtimecmp of each hart.</summary>
    public ulong[] Timecmp { get; } = new ulong[harts];

    /// <summary>When each hart's timer fires, in nanoseconds of the virtual clock; -1 when it isn't set.</summary>
    public long[] Timers { get; } = Enumerable.Repeat(-1L, harts).ToArray();
}
