namespace Godwit.Migration.Source;

/// <summary>What happened to guest memory so far (QEMU: <c>mig_stats</c>, <c>xbzrle_counters</c>). Written by the migration thread alone, but for what
/// multifd channels count, too.</summary>
internal sealed class RamCounters
{
    public long Duplicate;
    public long Normal;
    public long Syncs;
    public long MissedZeroCopy;
    public long DirtyPagesRate;
    public long DirtyBytesAtSync;
    public long Remaining;
    public long Transferred;
    public long XbzrleBytes;
    public long XbzrlePages;
    public long XbzrleMisses;
    public long XbzrleOverflows;
    public double XbzrleMissRate;
    public double XbzrleEncodingRate;
    public double Mbps;
    public long PagesPerSecond;

    /// <summary>Sent in any way; an encoding that came out too long counts with those encoded, as in QEMU, and with the normal ones.</summary>
    public long Pages => Duplicate + Normal + XbzrlePages - XbzrleOverflows;
}
