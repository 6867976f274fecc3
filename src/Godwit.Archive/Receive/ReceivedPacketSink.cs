using System.Text;
using Godwit.Migration.Channels;
using Godwit.Migration.Multifd;
using Godwit.Wire;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Receive;

/// <summary>Has a multifd channel's pages go into the file.</summary>
/// <param name="ram">The file's memory; null until the source has listed its blocks.</param>
internal sealed class ReceivedPacketSink(Func<ReceivedRam?> ram, TargetPageSize pageSize) : PacketSink
{
    private PacketPlaces? _places;
    private RamBlock? _block;

    public override void Take(in MultifdPacket packet, Channel channel, string name, long at)
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

    protected override Span<byte> Place(in MultifdPacket packet, int page) => _places!.Body(page);
}
