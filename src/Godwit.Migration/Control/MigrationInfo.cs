using Godwit.Migration.Channels;

namespace Godwit.Migration.Control;

/// <summary>What <c>query-migrate</c> tells (QEMU: <c>MigrationInfo</c>). Times in milliseconds, sizes in bytes; null: not told.</summary>
public sealed record MigrationInfo
{
    public MigrationStatus? Status { get; init; }

    public RamInfo? Ram { get; init; }

    public XbzrleInfo? XbzrleCache { get; init; }

    public long? TotalTime { get; init; }

    public long? ExpectedDowntime { get; init; }

    public long? Downtime { get; init; }

    public long? SetupTime { get; init; }

    public int? CpuThrottlePercentage { get; init; }

    public string? ErrorDescription { get; init; }

    /// <summary>Where a source is waited for.</summary>
    public MigrationUri? SocketAddress { get; init; }
}

/// <summary>QEMU: <c>MigrationRAMStats</c>.</summary>
/// <param name="Mbps">Megabits a second.</param>
public sealed record RamInfo(
    long Transferred,
    long Remaining,
    long Total,
    long Duplicate,
    long Normal,
    long NormalBytes,
    long DirtyPagesRate,
    double Mbps,
    long DirtySyncCount,
    long PagesPerSecond,
    long PrecopyBytes,
    long DowntimeBytes,
    long MultifdBytes,
    long MissedZeroCopy);

/// <summary>QEMU: <c>XBZRLECacheStats</c>.</summary>
public sealed record XbzrleInfo(long CacheSize, long Bytes, long Pages, long CacheMiss, double CacheMissRate, double EncodingRate, long Overflow);
