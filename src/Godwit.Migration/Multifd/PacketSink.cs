using Godwit.Linux.Compression;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>What becomes of a multifd channel's pages at the destination; one a channel, called on its thread.</summary>
public abstract class PacketSink : IDisposable
{
    private PacketDecompressor? _decompressor;
    private MultifdFlags _compression;
    private byte[] _data = [];

    /// <summary>Takes a packet with pages: reads its data off the channel, all of it.</summary>
    /// <param name="name">For errors: <c>multifd channel 3</c>.</param>
    /// <param name="at">Of the packet among the channel's bytes, for errors.</param>
    /// <exception cref="MigrationStreamException">It is malformed.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract void Take(in MultifdPacket packet, Channel channel, string name, long at);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Where a normal page of a packet goes.</summary>
    protected abstract Span<byte> Place(in MultifdPacket packet, int page);

    /// <summary>Reads the normal pages of a packet, whichever way they are compressed, each to its <see cref="Place"/>.</summary>
    /// <exception cref="MigrationStreamException">They are malformed, or cut short.</exception>
    protected void ReadPages(in MultifdPacket packet, Channel channel, int pageBits, string name, long at)
    {
        if (packet.DataLength > _data.Length)
            _data = GC.AllocateUninitializedArray<byte>(packet.Compression == MultifdFlags.None ? MultifdPacket.PageBytes : MultifdPacket.MaxCompressed);
        var data = _data.AsSpan(0, packet.DataLength);
        var count = channel.ReadAll(data);
        if (count < data.Length)
            throw CutShort(at, pageBits, name, count);
        if (packet.Compression == MultifdFlags.None)
        {
            for (var i = 0; i < packet.NormalPages; i++)
                data.Slice(i << pageBits, 1 << pageBits).CopyTo(Place(packet, i));
            return;
        }

        if (_decompressor is null)
        {
            _compression = packet.Compression;
            _decompressor = _compression == MultifdFlags.Zlib ? new ZlibPacketDecompressor() : new ZstdPacketDecompressor();
        }

        if (packet.Compression != _compression)
            throw new MigrationStreamException(at + 8, name, "flags", $"compressed by {packet.Compression}, and by {_compression} before");
        for (var i = 0; i < packet.NormalPages; i++)
        {
            try
            {
                data = data[_decompressor.Take(data, Place(packet, i))..];
            }
            catch (InvalidDataException e)
            {
                throw new MigrationStreamException(at + MultifdPacket.Length(pageBits) + count - data.Length, name, "pages", $"page {i} of the packet: {e.Message}");
            }
        }
    }

    protected static MigrationStreamException CutShort(long at, int pageBits, string name, long count) =>
        new(at + MultifdPacket.Length(pageBits) + count, name, "pages", "the channel ends here, within the pages of a packet");

    protected virtual void Dispose(bool disposing) => _decompressor?.Dispose();
}
