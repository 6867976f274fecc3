namespace Godwit.Archive.Receive;

/// <summary>Figures of a receive under way: written by the thread that receives, read by whoever shows them.</summary>
public sealed class ReceiveProgress
{
    private long _bytes;
    private long _pages;
    private long _totalPages;

    /// <summary>Bytes that came over the channel.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Different pages that came so far.</summary>
    public long Pages => Volatile.Read(ref _pages);

    /// <summary>Pages of all RAM blocks; 0 until the source has listed them.</summary>
    public long TotalPages => Volatile.Read(ref _totalPages);

    internal void Set(long bytes, long pages, long totalPages)
    {
        Volatile.Write(ref _bytes, bytes);
        Volatile.Write(ref _pages, pages);
        Volatile.Write(ref _totalPages, totalPages);
    }
}
