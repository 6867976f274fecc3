using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Receive;

/// <summary>Where the pages of a packet go in a mapped-ram file. Those that follow each other are written at once.</summary>
internal sealed class PlacedPackets : PacketPlaces
{
    private readonly PlacedRam _ram;
    private readonly int _pageBits;
    private readonly byte[] _pages;
    private readonly long[] _offsets;
    private int _count;

    public PlacedPackets(PlacedRam ram, int pageBits)
    {
        _ram = ram;
        _pageBits = pageBits;
        _pages = GC.AllocateUninitializedArray<byte>(MultifdPacket.PageBytes);
        _offsets = new long[MultifdPacket.PageLimit(pageBits)];
    }

    public override bool Settle(in MultifdPacket packet, RamBlock block)
    {
        _count = packet.NormalPages;
        return _ram.Take(packet, block, _pageBits, _offsets);
    }

    public override Span<byte> Body(int page) => _pages.AsSpan(page << _pageBits, 1 << _pageBits);

    public override void Write()
    {
        for (int first = 0, next; first < _count; first = next)
        {
            for (next = first + 1; next < _count && _offsets[next] == _offsets[next - 1] + (1 << _pageBits);)
                next++;
            _ram.WriteAt(_offsets[first], _pages.AsSpan(first << _pageBits, (next - first) << _pageBits));
        }
    }
}
