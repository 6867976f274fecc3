using Godwit.Memory;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>Pages of one block that a channel takes at once. Made once and used over and over.</summary>
internal sealed class PageBatch
{
    /// <summary>As many as go into a packet.</summary>
    public static readonly int Limit = MultifdPacket.PageLimit(GuestPage.Bits);

    private readonly ulong[] _pages = new ulong[Limit];
    private readonly ulong[] _zeros = new ulong[Limit];
    private int _pageCount;
    private int _zeroCount;

    public RamBlock? Block { get; private set; }

    public bool IsEmpty => _pageCount + _zeroCount == 0;

    public bool IsFull => _pageCount + _zeroCount == Limit;

    /// <summary>Offsets of pages that have to be sent.</summary>
    public ReadOnlySpan<ulong> Pages => _pages.AsSpan(0, _pageCount);

    /// <summary>Offsets of pages that are known to be zero.</summary>
    public ReadOnlySpan<ulong> Zeros => _zeros.AsSpan(0, _zeroCount);

    public bool Takes(RamBlock block) => !IsFull && (IsEmpty || Block == block);

    public void Add(RamBlock block, ulong offset, bool isZero)
    {
        Block = block;
        if (isZero)
            _zeros[_zeroCount++] = offset;
        else
            _pages[_pageCount++] = offset;
    }

    /// <summary>Finds the pages that are zero now.</summary>
    public void DetectZeros()
    {
        var kept = 0;
        for (var i = 0; i < _pageCount; i++)
        {
            var offset = _pages[i];
            if (ZeroPage.Is(Block!.Read(offset, GuestPage.Size)))
                _zeros[_zeroCount++] = offset;
            else
                _pages[kept++] = offset;
        }

        _pageCount = kept;
    }

    public void Clear()
    {
        Block = null;
        _pageCount = _zeroCount = 0;
    }
}
