using System.Collections.Concurrent;

namespace Godwit.Archive;

/// <summary>A bit a page of a block, of which only those parts exist that a bit was set in, so that a block that claims petabytes costs nothing. For any thread.</summary>
internal sealed class PageBitmap
{
    private const int ChunkBits = 16;
    private const int WordsPerChunk = 1 << (ChunkBits - 6);

    private readonly ConcurrentDictionary<long, ulong[]> _chunks = [];

    /// <returns>Whether it was set before.</returns>
    public bool Set(long page)
    {
        var bit = 1UL << (int)(page & 63);
        return (Interlocked.Or(ref Word(_chunks.GetOrAdd(page >> ChunkBits, static _ => new ulong[WordsPerChunk]), page), bit) & bit) != 0;
    }

    /// <returns>Whether it was set before.</returns>
    public bool Clear(long page)
    {
        var bit = 1UL << (int)(page & 63);
        return _chunks.TryGetValue(page >> ChunkBits, out var chunk) && (Interlocked.And(ref Word(chunk, page), ~bit) & bit) != 0;
    }

    public bool IsSet(long page) => _chunks.TryGetValue(page >> ChunkBits, out var chunk) && (Word(chunk, page) >> (int)(page & 63) & 1) != 0;

    public void Clear() => _chunks.Clear();

    /// <summary>Calls <paramref name="visit"/> with the words that exist, and how many words of the bitmap are before them.</summary>
    /// <param name="words">Words of the bitmap.</param>
    public void ForEach(long words, Action<long, ReadOnlyMemory<ulong>> visit)
    {
        foreach (var (number, chunk) in _chunks)
        {
            var first = number * WordsPerChunk;
            visit(first, chunk.AsMemory(0, (int)Math.Min(WordsPerChunk, words - first)));
        }
    }

    private static ref ulong Word(ulong[] chunk, long page) => ref chunk[(page >> 6) & (WordsPerChunk - 1)];
}
