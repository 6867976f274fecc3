using System.Text;
using Godwit.Linux;
using Godwit.Linux.Compression;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>Has a channel's pages go right to where they belong in a machine's memory.</summary>
/// <param name="blocks">What of the machine's memory the source has listed; null until it has.</param>
/// <param name="population">Touches memory ahead; shared with other channels.</param>
internal sealed class MemoryPacketSink(Func<IReadOnlyList<RamBlock>?> blocks, MemoryAhead population) : IPacketSink
{
    private readonly ScatterBuffer _places = new();
    private PacketDecompressor? _decompressor;
    private MultifdFlags _compression;
    private byte[] _compressed = [];
    private RamBlock? _block;
    private ulong _blockStart;
    private byte[] _blockName = [];

    public void Take(in MultifdPacket packet, Channel channel, string name, long at)
    {
        var block = Find(packet.BlockName, name, at);
        packet.CheckOffsets(block.Length, GuestPage.Bits, name, at);
        for (var i = packet.NormalPages; i < packet.NormalPages + packet.ZeroPages; i++)
            block.ClearPage(packet.Offset(i));
        if (packet.NormalPages == 0)
            return;
        lock (population)
            population.Reached(_blockStart + packet.Offset(packet.NormalPages - 1));
        var count = packet.Compression == MultifdFlags.None ? ReadPlain(packet, block, channel) : ReadCompressed(packet, block, channel, name, at);
        if (count < packet.DataLength)
            throw new MigrationStreamException(at + MultifdPacket.Length(GuestPage.Bits) + count, name, "pages", "the channel ends here, within the pages of a packet");
    }

    public void Dispose()
    {
        _places.Dispose();
        _decompressor?.Dispose();
    }

    private RamBlock Find(ReadOnlySpan<byte> idstr, string name, long at)
    {
        if (_block is not null && idstr.SequenceEqual(_blockName))
            return _block;
        var text = Encoding.ASCII.GetString(idstr);
        var listed = blocks() ?? throw new MigrationStreamException(at + 64, name, "ramblock", $"pages of block '{text}' come before the list of blocks");
        _block = listed.FirstOrDefault(b => string.Equals(b.IdStr, text, StringComparison.Ordinal))
            ?? throw new MigrationStreamException(at + 64, name, "ramblock", $"'{text}' is no block that the source has listed");
        _blockStart = population.StartOf(_block);
        _blockName = idstr.ToArray();
        return _block;
    }

    private long ReadPlain(in MultifdPacket packet, RamBlock block, Channel channel)
    {
        _places.Clear();
        for (var i = 0; i < packet.NormalPages; i++)
            block.AddTo(_places, packet.Offset(i), GuestPage.Size);
        return channel.ReadAll(_places);
    }

    private long ReadCompressed(in MultifdPacket packet, RamBlock block, Channel channel, string name, long at)
    {
        if (_decompressor is null)
        {
            _compression = packet.Compression;
            _decompressor = _compression == MultifdFlags.Zlib ? new ZlibPacketDecompressor() : new ZstdPacketDecompressor();
            _compressed = GC.AllocateUninitializedArray<byte>(MultifdPacket.MaxCompressed);
        }

        if (packet.Compression != _compression)
            throw new MigrationStreamException(at + 8, name, "flags", $"compressed by {packet.Compression}, and by {_compression} before");
        var data = _compressed.AsSpan(0, packet.DataLength);
        var count = channel.ReadAll(data);
        if (count < data.Length)
            return count;
        for (var i = 0; i < packet.NormalPages; i++)
        {
            try
            {
                data = data[_decompressor.Take(data, block.Write(packet.Offset(i), GuestPage.Size))..];
            }
            catch (InvalidDataException e)
            {
                throw new MigrationStreamException(at + MultifdPacket.Length(GuestPage.Bits) + count - data.Length, name, "pages", $"page {i} of the packet: {e.Message}");
            }
        }

        return count;
    }
}
