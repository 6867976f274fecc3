using System.Text;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Send;

/// <summary>Pages of one block on their way to a multifd channel, or a SYNC. Used over and over.</summary>
internal sealed class PagePacket
{
    private readonly int _pageBits;
    private readonly ulong[] _normal;
    private readonly ulong[] _zeros;
    private readonly byte[] _data = GC.AllocateUninitializedArray<byte>(MultifdPacket.PageBytes);
    private int _normalCount;
    private int _zeroCount;

    public PagePacket(int pageBits)
    {
        _pageBits = pageBits;
        _normal = new ulong[MultifdPacket.PageLimit(pageBits)];
        _zeros = new ulong[_normal.Length];
    }

    public bool IsSync { get; private set; }

    public RamBlock? Block { get; private set; }

    public byte[] BlockName { get; private set; } = [];

    public ReadOnlySpan<ulong> Normal => _normal.AsSpan(0, _normalCount);

    public ReadOnlySpan<ulong> Zeros => _zeros.AsSpan(0, _zeroCount);

    /// <summary>The normal pages' bytes.</summary>
    public ReadOnlySpan<byte> Data => _data.AsSpan(0, _normalCount << _pageBits);

    public bool Takes(RamBlock block) => _normalCount + _zeroCount < _normal.Length && (Block is null || Block == block);

    public void Begin(bool sync)
    {
        IsSync = sync;
        Block = null;
        _normalCount = _zeroCount = 0;
    }

    public void Add(RamBlock block, ulong offset, ReadOnlySpan<byte> page)
    {
        page.CopyTo(_data.AsSpan(_normalCount << _pageBits));
        Name(block);
        _normal[_normalCount++] = offset;
    }

    public void AddZero(RamBlock block, ulong offset)
    {
        Name(block);
        _zeros[_zeroCount++] = offset;
    }

    private void Name(RamBlock block)
    {
        if (Block == block)
            return;
        Block = block;
        BlockName = Encoding.ASCII.GetBytes(block.Name);
    }
}
