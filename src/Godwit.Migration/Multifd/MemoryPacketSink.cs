using System.Text;
using Godwit.Linux;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>Has a channel's pages go right to where they belong in a machine's memory.</summary>
/// <param name="blocks">What of the machine's memory the source has listed; null until it has.</param>
/// <param name="population">Touches memory ahead; shared with other channels.</param>
internal sealed class MemoryPacketSink(Func<IReadOnlyList<RamBlock>?> blocks, MemoryAhead population) : PacketSink
{
    private readonly ScatterBuffer _places = new();
    private RamBlock? _block;
    private ulong _blockStart;
    private byte[] _blockName = [];

    public override void Take(in MultifdPacket packet, Channel channel, string name, long at)
    {
        var block = Find(packet.BlockName, name, at);
        packet.CheckOffsets(block.Length, GuestPage.Bits, name, at);
        for (var i = packet.NormalPages; i < packet.NormalPages + packet.ZeroPages; i++)
            block.ClearPage(packet.Offset(i));
        if (packet.NormalPages == 0)
            return;
        lock (population)
            population.Reached(_blockStart + packet.Offset(packet.NormalPages - 1));
        if (packet.Compression != MultifdFlags.None)
            ReadPages(packet, channel, GuestPage.Bits, name, at);
        else if (ReadPlain(packet, block, channel) is var count && count < packet.DataLength)
            throw CutShort(at, GuestPage.Bits, name, count);
    }

    protected override Span<byte> Place(in MultifdPacket packet, int page) => _block!.Write(packet.Offset(page), GuestPage.Size);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _places.Dispose();
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

    /// <summary>Uncopied.</summary>
    private long ReadPlain(in MultifdPacket packet, RamBlock block, Channel channel)
    {
        _places.Clear();
        for (var i = 0; i < packet.NormalPages; i++)
            block.AddTo(_places, packet.Offset(i), GuestPage.Size);
        return channel.ReadAll(_places);
    }
}
