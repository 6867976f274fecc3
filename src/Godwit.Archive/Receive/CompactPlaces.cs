using Godwit.Wire;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Receive;

/// <summary>Where the pages of a packet go in a compact file: new ones into records at its end, in one piece; ones that came before, and zero ones of these, each
/// to its place.</summary>
internal sealed class CompactPlaces : PacketPlaces
{
    private readonly CompactRam _ram;
    private readonly int _pageSize;
    private readonly byte[] _records;
    private readonly byte[] _rewritten;
    private readonly int[] _bodies;
    private readonly long[] _offsets;
    private readonly long[] _zeros;
    private int _rewrittenCount;
    private int _zeroCount;
    private int _length;
    private long _start;

    public CompactPlaces(CompactRam ram, int pageBits)
    {
        _ram = ram;
        var limit = MultifdPacket.PageLimit(pageBits);
        _pageSize = 1 << pageBits;
        _records = GC.AllocateUninitializedArray<byte>((limit * (8 + _pageSize)) + (2 * RamItem.MaxHeaderLength));
        _rewritten = GC.AllocateUninitializedArray<byte>(limit << pageBits);
        _bodies = new int[limit];
        _offsets = new long[limit];
        _zeros = new long[limit];
    }

    /// <summary>Bytes of the records.</summary>
    public int Length => _length;

    public override bool Settle(in MultifdPacket packet, RamBlock block) => _ram.Place(packet, block, this);

    /// <param name="start">Where the file ends.</param>
    public void Clear(long start)
    {
        _start = start;
        _length = _rewrittenCount = _zeroCount = 0;
    }

    public override Span<byte> Body(int page) => _bodies[page] >= 0 ? _records.AsSpan(_bodies[page], _pageSize) : _rewritten.AsSpan(~_bodies[page] * _pageSize, _pageSize);

    /// <summary>A normal page gets a record.</summary>
    /// <returns>Where in the file its bytes will be.</returns>
    public long Append(int page, ulong offset, string? blockName)
    {
        var writer = new WireWriter(_records.AsSpan(_length));
        RamItem.WriteHeader(ref writer, offset, RamFlags.Page, blockName);
        _bodies[page] = _length + writer.Position;
        _length = _bodies[page] + _pageSize;
        return _start + _bodies[page];
    }

    /// <summary>A normal page has its place.</summary>
    public void Rewrite(int page, long at)
    {
        _offsets[_rewrittenCount] = at;
        _bodies[page] = ~_rewrittenCount++;
    }

    /// <summary>The page at a place is zero now.</summary>
    public void Zero(long at) => _zeros[_zeroCount++] = at;

    public override void Write()
    {
        if (_length > 0)
            _ram.WriteAt(_start, _records.AsSpan(0, _length));
        for (var i = 0; i < _rewrittenCount; i++)
            _ram.WriteAt(_offsets[i], _rewritten.AsSpan(i * _pageSize, _pageSize));
        if (_zeroCount == 0)
            return;
        var zeros = _rewritten.AsSpan(0, _pageSize);
        zeros.Clear();
        for (var i = 0; i < _zeroCount; i++)
            _ram.WriteAt(_zeros[i], zeros);
    }
}
