namespace Godwit.Linux.Compression;

/// <summary>Takes pages out of packets that a <see cref="PacketCompressor"/> made, in their order. For one thread.</summary>
public abstract class PacketDecompressor : IDisposable
{
    /// <summary>Fills a page.</summary>
    /// <param name="packet">What is left of the packet.</param>
    /// <param name="page">Filled whole.</param>
    /// <returns>Bytes taken off the packet's front.</returns>
    /// <exception cref="InvalidDataException">The packet is malformed, or has no whole page any more.</exception>
    public abstract int Take(ReadOnlySpan<byte> packet, Span<byte> page);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    protected abstract void Free();
}
