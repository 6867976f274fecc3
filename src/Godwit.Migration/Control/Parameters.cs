namespace Godwit.Migration.Control;

/// <summary>The parameters that the engine heeds, with QEMU's defaults (QEMU: <c>MigrationParameters</c>, migration/options.c). Replaced as a whole,
/// so that a running migration sees all of a change or nothing.</summary>
public sealed record Parameters
{
    /// <summary>Bytes a second; 0: no limit.</summary>
    public ulong MaxBandwidth { get; init; } = 128 << 20;

    /// <summary>Bytes a second that are read of memory which a guest that has started doesn't wait for; 0: no limit.</summary>
    public ulong MaxPostcopyBandwidth { get; init; }

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

    /// <summary>Channels for pages beside the main one, 1 to 255.</summary>
    public int MultifdChannels { get; init; } = 2;

    public MultifdCompression MultifdCompression { get; init; }

    /// <summary>Whether multifd channels meet at the end of each section, as QEMU before 8.1 expects it. No parameter of QMP: a property of the migration object
    /// (<c>-global migration.multifd-flush-after-each-section=on</c>). A destination finds out by itself.</summary>
    public bool MultifdFlushAfterEachSection { get; init; }

    /// <summary>0 to 9.</summary>
    public int MultifdZlibLevel { get; init; } = 1;

    /// <summary>0 to 20.</summary>
    public int MultifdZstdLevel { get; init; } = 1;

    public ZeroPageDetection ZeroPageDetection { get; init; } = ZeroPageDetection.Multifd;

    /// <summary>Whether pages of a mapped-ram file go past the host's page cache.</summary>
    public bool DirectIo { get; init; }

    /// <summary>The id of an object <c>tls-creds-x509</c>; empty: channels aren't encrypted.</summary>
    public string TlsCreds { get; init; } = "";

    /// <summary>Whose certificate the source expects; empty: the host's that it connects to.</summary>
    public string TlsHostname { get; init; } = "";

    /// <summary>The id of an authorization object, with which a destination judges the source's certificate.</summary>
    public string TlsAuthz { get; init; } = "";
}
