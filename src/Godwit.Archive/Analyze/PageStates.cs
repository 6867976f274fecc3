namespace Godwit.Archive.Analyze;

/// <summary>
/// What the last version of each page of a block is. Holds only chunks that pages came for, so that a block list that claims petabytes
/// costs nothing.
/// </summary>
internal sealed class PageStates
{
    private const int PagesPerChunk = 1 << 10;

    private readonly Dictionary<ulong, byte[]> _chunks = [];
    private ulong _held = ulong.MaxValue;
    private byte[] _chunk = [];

    /// <summary>Pages whose last version has bytes.</summary>
    public long Stored { get; private set; }

    /// <summary>Pages whose last version is zero.</summary>
    public long Zero { get; private set; }

    /// <summary>Versions of pages beyond their first.</summary>
    public long Again { get; private set; }

    /// <summary>A run of pages that came with their bytes.</summary>
    public void SetStored(ulong first, int count)
    {
        for (var page = first; page < first + (ulong)count; page++)
            Set(page, zero: false);
    }

    public void Set(ulong page, bool zero)
    {
        var number = page / PagesPerChunk;
        if (number != _held)
        {
            if (!_chunks.TryGetValue(number, out var chunk))
                _chunks.Add(number, chunk = new byte[PagesPerChunk]);
            _held = number;
            _chunk = chunk;
        }

        ref var state = ref _chunk[page % PagesPerChunk];
        if (state == 1)
            Stored--;
        if (state == 2)
            Zero--;
        if (state != 0)
            Again++;
        state = zero ? (byte)2 : (byte)1;
        if (zero)
            Zero++;
        else
            Stored++;
    }
}
