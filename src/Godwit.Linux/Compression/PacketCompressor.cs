namespace Godwit.Linux.Compression;

/// <summary>Makes a packet after another out of pages. All packets together are one compressed stream, and each ends where its last page can be had
/// without the next packet. For one thread.</summary>
public abstract class PacketCompressor : IDisposable
{
    /// <summary>Adds a page to the packet.</summary>
    /// <param name="destination">What is left of the packet's room.</param>
    /// <param name="last">Whether the packet ends with it.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="InvalidOperationException">They don't fit.</exception>
    public abstract int Add(ReadOnlySpan<byte> page, Span<byte> destination, bool last);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    protected abstract void Free();
}
