using System.Buffers.Binary;

namespace Godwit.Wire.Ram;

/// <summary>
/// Finds the target page size of a stream that doesn't say it (a target whose page size is fixed sends none; Alpha's and 64-bit
/// SPARC's is 8 KiB, that of ARM before version 7 is 1 KiB, AVR's 256 bytes): after a page comes the item of a later page, of another block, or the end of the section. The first size at which one of
/// these stands is taken, the usual ones first. A zero page has the same form at any size and tells nothing.
/// </summary>
internal readonly ref struct PageSizeProbe
{
    private static readonly int[] Candidates = [12, 13, 14, 16, 10, 8];

    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _bodyAt;
    private readonly ulong _offset;
    private readonly RamBlock _block;
    private readonly List<RamBlock> _blocks;

    /// <param name="buffer">Begins at the first page's item.</param>
    /// <param name="bodyAt">Bytes from there to what follows the item's header.</param>
    /// <param name="offset">The page's offset in <paramref name="block"/>.</param>
    public PageSizeProbe(ReadOnlySpan<byte> buffer, int bodyAt, ulong offset, RamBlock block, List<RamBlock> blocks)
    {
        _buffer = buffer;
        _bodyAt = bodyAt;
        _offset = offset;
        _block = block;
        _blocks = blocks;
    }

    /// <returns>False where the buffer is too short to say; <paramref name="needed"/> bytes would do for the next look.</returns>
    public bool TryAfterPage(out int bits, out int needed)
    {
        foreach (var candidate in Candidates)
        {
            bits = candidate;
            var at = _bodyAt + (1 << candidate);
            needed = at + 8;
            if (_buffer.Length < needed)
            {
                bits = Candidates[0];
                return false;
            }

            var word = BinaryPrimitives.ReadUInt64BigEndian(_buffer[at..]);
            if (!Follows(word, candidate))
                continue;
            if ((word & (ulong)(RamFlags.Continue | RamFlags.Eos)) != 0)
                return true;
            needed = at + 9;
            if (_buffer.Length < needed)
                return false;
            needed += _buffer[at + 8];
            if (_buffer.Length < needed)
                return false;
            if (IsBlock(_buffer.Slice(at + 9, _buffer[at + 8])))
                return true;
        }

        bits = Candidates[0];
        needed = 0;
        return true;
    }

    private bool Follows(ulong word, int bits)
    {
        var mask = (1UL << bits) - 1;
        var flags = (RamFlags)(word & mask);
        var next = word & ~mask;
        if (flags == RamFlags.Eos || flags == RamFlags.MultifdFlush)
            return next == 0;
        if ((flags & ~RamFlags.Continue) is not (RamFlags.Page or RamFlags.Zero))
            return false;
        return !flags.HasFlag(RamFlags.Continue) || (next > _offset && next < _block.Length);
    }

    private bool IsBlock(ReadOnlySpan<byte> name)
    {
        foreach (var block in _blocks)
        {
            if (name.SequenceEqual(block.NameBytes))
                return true;
        }

        return false;
    }
}
