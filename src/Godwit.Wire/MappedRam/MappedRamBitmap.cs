using System.Numerics;

namespace Godwit.Wire.MappedRam;

/// <summary>Runs of pages that a mapped-ram file has: those whose bit is set. A page whose bit isn't is zero, whatever the file has at its place.</summary>
/// <remarks>Words are in the byte order of the host that wrote the file, which nothing in it tells; all that run this are little-endian.</remarks>
public static class MappedRamBitmap
{
    /// <summary>The next run.</summary>
    /// <param name="words">64 pages each, the lowest bit first.</param>
    /// <param name="pages">How many of the bits count.</param>
    /// <param name="next">The page to look from; then the one to look from next.</param>
    /// <returns>False where none is set any more.</returns>
    public static bool TryNextRun(ReadOnlySpan<ulong> words, long pages, ref long next, out long first, out long count)
    {
        first = Find(words, pages, next, 0);
        next = Find(words, pages, first, ulong.MaxValue);
        count = next - first;
        return count > 0;
    }

    /// <param name="flip">Zero: looks for a bit that is set; all ones: for one that isn't.</param>
    private static long Find(ReadOnlySpan<ulong> words, long pages, long from, ulong flip)
    {
        if (from >= pages)
            return pages;
        var word = (int)(from >> 6);
        var bits = (words[word] ^ flip) & (ulong.MaxValue << (int)(from & 63));
        while (bits == 0)
        {
            if (++word >= words.Length || (long)word << 6 >= pages)
                return pages;
            bits = words[word] ^ flip;
        }

        return Math.Min(((long)word << 6) + BitOperations.TrailingZeroCount(bits), pages);
    }
}
