using Godwit.Memory;
using Godwit.Migration.Control;

namespace Godwit.Migration.Source;

internal sealed partial class OutgoingMigration
{
    private readonly RamCounters _counters = new();
    private RamSource? _ram;
    private Pace? _pace;
    private LastRounds? _lastRounds;
    private Convergence? _convergence;
    private XbzrleCache? _cache;
    private string? _error;
    private long _setupTime;
    private long _totalTime;
    private long _downtime;
    private long _downtimeStarted;
    private long _precopyBytes;
    private long _downtimeBytes;

    /// <summary>Where in the stream that ends which the two above know of: memory's part alone counts.</summary>
    private long _counted = long.MaxValue;

    /// <summary>As QEMU tells it (migration/migration.c, fill_source_migration_info).</summary>
    public MigrationInfo Info()
    {
        var status = _status;
        var info = new MigrationInfo { Status = status, ErrorDescription = _error };
        if (_ram is not { } ram || status is MigrationStatus.Setup or MigrationStatus.Cancelled or MigrationStatus.Failed)
            return info;
        var over = status == MigrationStatus.Completed;
        var percent = _convergence?.Percent ?? 0;
        return info with
        {
            Ram = Ram(ram.Counters, over),
            XbzrleCache = _cache is null ? null : Xbzrle(ram.Counters),
            TotalTime = over ? _totalTime : Environment.TickCount64 - _started,
            SetupTime = _setupTime,
            Downtime = over ? _downtime : null,
            ExpectedDowntime = over ? null : ExpectedDowntime(),
            CpuThrottlePercentage = percent == 0 ? null : percent,
        };
    }

    private long ExpectedDowntime() => _pace?.ExpectedDowntime is > 0 and var expected ? expected : (long)_parameters().DowntimeLimit;

    private RamInfo Ram(RamCounters counters, bool over)
    {
        var transferred = Volatile.Read(ref counters.Transferred);
        var mbps = over && _totalTime > 0 ? transferred * 8.0 / _totalTime / 1000 : counters.Mbps;
        var aside = _multifd?.Bytes ?? 0;
        var uncounted = Math.Max(0, transferred - aside - _counted);
        var guestRuns = _machine.IsGuestRunning;
        return new RamInfo(
            transferred,
            over ? 0 : Volatile.Read(ref counters.Remaining),
            _machine.RamBlocks.Sum(b => (long)b.Length),
            counters.Duplicate,
            counters.Normal,
            counters.Normal * GuestPage.Size,
            counters.DirtyPagesRate,
            mbps,
            counters.Syncs,
            counters.PagesPerSecond,
            _precopyBytes + (guestRuns ? uncounted : 0),
            _downtimeBytes + (guestRuns ? 0 : uncounted),
            aside,
            Volatile.Read(ref counters.MissedZeroCopy));
    }

    /// <summary>What goes while the guest stands is its downtime's, also where somebody else has stopped it. Source: QEMU migration/ram.c,
    /// ram_transferred_add.</summary>
    private void CountBytes(long position, bool guestRuns)
    {
        if (guestRuns)
            _precopyBytes += position - _counted;
        else
            _downtimeBytes += position - _counted;
        _counted = position;
    }

    private XbzrleInfo Xbzrle(RamCounters counters) => new(
        _cache!.Bytes,
        counters.XbzrleBytes,
        counters.XbzrlePages,
        counters.XbzrleMisses,
        counters.XbzrleMissRate,
        counters.XbzrleEncodingRate,
        counters.XbzrleOverflows);
}
