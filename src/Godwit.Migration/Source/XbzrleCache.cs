using System.Numerics;
using Godwit.Memory;

namespace Godwit.Migration.Source;

/// <summary>Pages as they were sent last (QEMU: migration/page_cache.c): one a slot, a page of a recent round isn't driven out.</summary>
internal sealed class XbzrleCache
{
    /// <summary>More than any guest here has memory, with a third of a gigabyte of slots alone.</summary>
    private const ulong MaxBytes = 64UL << 30;

    private readonly byte[]?[] _pages;
    private readonly long[] _keys;
    private readonly int[] _rounds;

    /// <param name="bytes">Rounded down to a power of two.</param>
    /// <exception cref="IOException">It is more than <see cref="MaxBytes"/>.</exception>
    public XbzrleCache(ulong bytes)
    {
        if (bytes > MaxBytes)
            throw new IOException("Failed to allocate page cache");
        var slots = 1 << BitOperations.Log2(Math.Max(1, bytes / GuestPage.Size));
        _pages = new byte[slots][];
        _keys = new long[slots];
        _rounds = new int[slots];
    }

    public long Bytes => (long)_pages.Length * GuestPage.Size;

    /// <summary>The page as it was sent last, to be compared and brought up to date; null where it isn't known.</summary>
    public byte[]? Find(long page, int round)
    {
        var slot = (int)(page & (_pages.Length - 1));
        if (_pages[slot] is null || _keys[slot] != page)
            return null;
        _rounds[slot] = round;
        return _pages[slot];
    }

    /// <summary>A slot for a page, to be filled; null where it holds one that was sent in this round or the last.</summary>
    public byte[]? Insert(long page, int round)
    {
        var slot = (int)(page & (_pages.Length - 1));
        if (_pages[slot] is not null && _keys[slot] != page && round - _rounds[slot] < 2)
            return null;
        _keys[slot] = page;
        _rounds[slot] = round;
        return _pages[slot] ??= new byte[GuestPage.Size];
    }
}
