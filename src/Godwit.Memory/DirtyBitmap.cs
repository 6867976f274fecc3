using System.Numerics;

namespace Godwit.Memory;

/// <summary>One bit a page: set by whoever writes the page, taken by who sends it. Safe between threads.
/// A hart's fast stores, and whoever writes through a span, come after their bit was set. Who takes bits must therefore, between taking them and reading the pages, have every writer
/// pass a point where it writes nothing: harts at an instruction boundary with <see cref="SoftwareTlb.FlushWrites"/> done, devices by the
/// machine's lock taken once. Otherwise a store that was under way could come after the page was read, its bit taken.</summary>
public sealed class DirtyBitmap
{
    private readonly ulong[] _words;

    /// <param name="pages">How many pages it is for.</param>
    public DirtyBitmap(long pages)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pages);
        Pages = pages;
        _words = new ulong[(pages + 63) / 64];
    }

    public long Pages { get; }

    public bool this[long page] => (Volatile.Read(ref _words[page >> 6]) >> (int)(page & 63) & 1) != 0;

    /// <summary>Sets a page's bit.</summary>
    public void Set(long page)
    {
        ref var word = ref _words[page >> 6];
        var bit = 1UL << (int)(page & 63);
        if ((Volatile.Read(ref word) & bit) == 0)
            Interlocked.Or(ref word, bit);
    }

    /// <summary>Sets the bits of all pages that these bytes touch.</summary>
    public void SetRange(ulong offset, ulong length)
    {
        if (length == 0)
            return;
        for (var page = (long)(offset >> GuestPage.Bits); page <= (long)((offset + length - 1) >> GuestPage.Bits); page++)
            Set(page);
    }

    /// <summary>Takes 64 pages' bits at once: gives them and clears them.</summary>
    /// <param name="word">Pages word × 64 up to word × 64 + 63.</param>
    public ulong Take(long word) => Volatile.Read(ref _words[word]) == 0 ? 0 : Interlocked.Exchange(ref _words[word], 0);

    /// <summary>How many words <see cref="Take"/> knows.</summary>
    public long Words => _words.Length;

    public long Count()
    {
        long count = 0;
        foreach (var word in _words)
            count += BitOperations.PopCount(word);
        return count;
    }
}
