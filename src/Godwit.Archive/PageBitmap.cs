using System.Collections.Concurrent;
using Godwit.Wire;

namespace Godwit.Archive;

/// <summary>A bit a page of a block, of which only those parts exist that a bit was set in, so that a block that claims petabytes costs nothing. For any thread.</summary>
internal sealed class PageBitmap
{
    private const int ChunkBits = 12;

    /// <summary>Of a terabyte at least, were all of it touched; what needs more is a file made to need it.</summary>
    private const int MaxChunks = 1 << 20;
    private const int WordsPerChunk = 1 << (ChunkBits - 6);

    private readonly ConcurrentDictionary<long, ulong[]> _chunks = [];
    private int _made;

    /// <returns>Whether it was set before.</returns>
    /// <exception cref="MigrationStreamException">Pages are scattered too far.</exception>
    public bool Set(long page)
    {
        var bit = 1UL << (int)(page & 63);
        return (Interlocked.Or(ref Word(_chunks.GetOrAdd(page >> ChunkBits, static (_, all) => all.MakeChunk(), this), page), bit) & bit) != 0;
    }

    /// <returns>Whether it was set before.</returns>
    public bool Clear(long page)
    {
        var bit = 1UL << (int)(page & 63);
        return _chunks.TryGetValue(page >> ChunkBits, out var chunk) && (Interlocked.And(ref Word(chunk, page), ~bit) & bit) != 0;
    }

    public bool IsSet(long page) => _chunks.TryGetValue(page >> ChunkBits, out var chunk) && (Word(chunk, page) >> (int)(page & 63) & 1) != 0;

    public void Clear()
    {
        _chunks.Clear();
        _made = 0;
    }

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

    private ulong[] MakeChunk() => Interlocked.Increment(ref _made) <= MaxChunks
        ? new ulong[WordsPerChunk]
        : throw new MigrationStreamException(0, "ram", "page offset", $"pages are scattered over more than {MaxChunks} places of {1 << ChunkBits} pages");

    private static ref ulong Word(ulong[] chunk, long page) => ref chunk[(page >> 6) & (WordsPerChunk - 1)];
}
