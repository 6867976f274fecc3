using System.Text;
using Godwit.Linux.Compression;
using Godwit.Migration.Channels;
using Godwit.Migration.Multifd;
using Godwit.Wire;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Receive;

/// <summary>Has a multifd channel's pages go into the file.</summary>
/// <param name="ram">The file's memory; null until the source has listed its blocks.</param>
internal sealed class ReceivedPacketSink(Func<ReceivedRam?> ram, TargetPageSize pageSize) : IPacketSink
{
    private PacketPlaces? _places;
    private PacketDecompressor? _decompressor;
    private MultifdFlags _compression;
    private byte[] _data = [];
    private RamBlock? _block;

    public void Take(in MultifdPacket packet, Channel channel, string name, long at)
    {
        var bits = pageSize.Bits!.Value;
        var memory = ram() ?? throw new MigrationStreamException(at + 64, name, "ramblock", $"pages of block '{Encoding.ASCII.GetString(packet.BlockName)}' come before the list of blocks");
        if (_block is null || !_block.HasName(packet.BlockName))
            _block = memory.FindBlock(packet.BlockName) ?? throw new MigrationStreamException(at + 64, name, "ramblock", $"'{Encoding.ASCII.GetString(packet.BlockName)}' is no block that the source has listed");
        packet.CheckOffsets(_block.Length, bits, name, at);
        _places ??= memory.CreatePlaces(bits);
        if (!_places.Settle(packet, _block))
            throw new MigrationStreamException(at, name, "packet", "pages come after the end of memory");
        if (packet.NormalPages > 0)
            ReadPages(packet, channel, bits, name, at);
        _places.Write();
    }

    public void Dispose() => _decompressor?.Dispose();

    private void ReadPages(in MultifdPacket packet, Channel channel, int bits, string name, long at)
    {
        if (packet.DataLength > _data.Length)
            _data = GC.AllocateUninitializedArray<byte>(packet.Compression == MultifdFlags.None ? MultifdPacket.PageBytes : MultifdPacket.MaxCompressed);
        var data = _data.AsSpan(0, packet.DataLength);
        var start = at + MultifdPacket.Length(bits);
        var count = channel.ReadAll(data);
        if (count < data.Length)
            throw new MigrationStreamException(start + count, name, "pages", "the channel ends here, within the pages of a packet");
        if (packet.Compression == MultifdFlags.None)
        {
            for (var i = 0; i < packet.NormalPages; i++)
                data.Slice(i << bits, 1 << bits).CopyTo(_places!.Body(i));
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
                data = data[_decompressor.Take(data, _places!.Body(i))..];
            }
            catch (InvalidDataException e)
            {
                throw new MigrationStreamException(start + count - data.Length, name, "pages", $"page {i} of the packet: {e.Message}");
            }
        }
    }
}
