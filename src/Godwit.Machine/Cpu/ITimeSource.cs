namespace Godwit.Machine.Cpu;

/// <summary>What the time CSR reads, and stimecmp is compared with: mtime.</summary>
public interface ITimeSource
{
    /// <summary>In ticks of the board's timebase (10 MHz).</summary>
    ulong Now { get; }

    /// <summary>When a time is reached, in the virtual clock's nanoseconds; <see cref="long.MaxValue"/> if that is too far to tell.</summary>
    long ToNanoseconds(ulong time);
}
