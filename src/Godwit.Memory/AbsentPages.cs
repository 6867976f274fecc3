namespace Godwit.Memory;

/// <summary>Pages of a block that aren't there yet, in chunks: whoever needs one has its chunk fetched first, on the thread that needs it. Any thread may fetch; each chunk is
/// fetched once.</summary>
internal sealed class AbsentPages
{
    private const byte IsAbsent = 1;
    private const int Locks = 64;

    private readonly RamBlock _block;
    private readonly Action<RamBlock, ulong, int> _fetch;
    private readonly Action _arrived;
    private readonly byte[] _chunks;
    private readonly Lock[] _locks = [.. Enumerable.Range(0, Locks).Select(_ => new Lock())];
    private long _left;

    /// <param name="fetch">Fills pages, by <see cref="RamBlock.Place"/>; takes offset and length. Throws where it can't.</param>
    /// <param name="arrived">Called once, when the last are there.</param>
    public AbsentPages(RamBlock block, Action<RamBlock, ulong, int> fetch, Action arrived)
    {
        _arrived = arrived;
        _block = block;
        _fetch = fetch;
        _left = (long)((block.Length + RamBlock.ChunkLength - 1) / RamBlock.ChunkLength);
        _chunks = new byte[_left];
        Array.Fill(_chunks, IsAbsent);
    }

    /// <summary>Returns when these bytes are there.</summary>
    public void Ensure(ulong offset, ulong length)
    {
        if (length == 0)
            return;
        for (var chunk = offset / RamBlock.ChunkLength; chunk <= (offset + length - 1) / RamBlock.ChunkLength; chunk++)
        {
            if (Volatile.Read(ref _chunks[chunk]) == IsAbsent)
                Fetch(chunk, _fetch);
        }
    }

    /// <summary>Fetches a chunk, unless it is there.</summary>
    public void Fetch(ulong chunk, Action<RamBlock, ulong, int> fetch)
    {
        lock (_locks[chunk % Locks])
        {
            if (_chunks[chunk] != IsAbsent)
                return;
            var offset = chunk * RamBlock.ChunkLength;
            fetch(_block, offset, (int)Math.Min(RamBlock.ChunkLength, _block.Length - offset));
            // What was fetched is seen before it is seen to be there.
            Volatile.Write(ref _chunks[chunk], 0);
        }

        if (Interlocked.Decrement(ref _left) == 0)
            _arrived();
    }
}
