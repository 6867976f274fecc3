namespace Godwit.Migration.Control;

/// <summary>The parameters that the engine heeds, with QEMU's defaults (QEMU: <c>MigrationParameters</c>, migration/options.c). Replaced as a whole,
/// so that a running migration sees all of a change or nothing.</summary>
public sealed record Parameters
{
    /// <summary>Bytes a second; 0: no limit.</summary>
    public ulong MaxBandwidth { get; init; } = 128 << 20;

    /// <summary>Bytes a second to reckon the downtime with; 0: as measured.</summary>
    public ulong AvailSwitchoverBandwidth { get; init; }

    /// <summary>Milliseconds.</summary>
    public ulong DowntimeLimit { get; init; } = 300;

    /// <summary>Bytes.</summary>
    public ulong XbzrleCacheSize { get; init; } = 64 << 20;

    /// <summary>Percent of the bytes sent in a round that may be dirtied anew before harts are throttled.</summary>
    public int ThrottleTriggerThreshold { get; init; } = 50;

    public int CpuThrottleInitial { get; init; } = 20;

    public int CpuThrottleIncrement { get; init; } = 10;

    public bool CpuThrottleTailslow { get; init; }

    public int MaxCpuThrottle { get; init; } = 99;

    /// <summary>Milliseconds.</summary>
    public ulong VcpuDirtyLimitPeriod { get; init; } = 1000;

    /// <summary>MiB a second.</summary>
    public ulong VcpuDirtyLimit { get; init; } = 1;

    /// <summary>Milliseconds that an announcement takes at first; kept for machines with a network.</summary>
    public ulong AnnounceInitial { get; init; } = 50;

    public ulong AnnounceMax { get; init; } = 550;

    public ulong AnnounceRounds { get; init; } = 5;

    public ulong AnnounceStep { get; init; } = 100;
}
