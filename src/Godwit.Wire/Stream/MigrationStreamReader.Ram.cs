using System.Buffers.Binary;
using System.Numerics;
using Godwit.Wire.MappedRam;
using Godwit.Wire.Ram;

namespace Godwit.Wire.Stream;

/// <summary>The RAM section's items: see <see cref="RamBlock"/> and <see cref="RamItem"/> for their bytes.</summary>
public sealed partial class MigrationStreamReader
{
    private const uint RamVersion = 4;
    private const int MaxBlocks = 4096;
    private const RamFlags NotInMappedRam = RamFlags.Zero | RamFlags.Page | RamFlags.Xbzrle | RamFlags.CompressPage | RamFlags.Hook | RamFlags.MultifdFlush;
    private const RamFlags PageForms = RamFlags.Zero | RamFlags.Page | RamFlags.Xbzrle | RamFlags.CompressPage;

    /// <summary>Base-2 logarithm of the page size that nearly every target has.</summary>
    public const int DefaultPageBits = 12;

    private readonly List<RamBlock> _blocks = [];
    private RamBlock? _lastBlock;
    private bool _blocksListed;
    private long _mappedLeft;

    /// <summary>The RAM blocks listed so far.</summary>
    public IReadOnlyList<RamBlock> Blocks => _blocks;

    /// <summary>
    /// Base-2 logarithm of the target page size: what the configuration says or the caller has set; where neither does, found from the
    /// distance of the first two pages. Null until then.
    /// </summary>
    public int? PageBits { get; set; }

    /// <summary>Bytes from the start of the file to the start of the stream: a mapped-ram file's offsets count from there.</summary>
    public long FileOffset { get; init; }

    /// <summary>
    /// With <see cref="StreamReadMode.HeadersOnly"/>, steps over a run of whole pages that follow each other in one block: the bulk of
    /// most streams, at a fraction of what an element each costs.
    /// </summary>
    /// <param name="buffer">The bytes from <see cref="Offset"/> on.</param>
    /// <param name="available">Bytes from <see cref="Offset"/> to the end of the stream, which may be beyond the buffer.</param>
    /// <param name="block">The block of the pages.</param>
    /// <param name="first">Bytes from the start of the block to the first of them.</param>
    /// <returns>Pages in the run; 0 where an element must be read.</returns>
    public int SkipPages(ReadOnlySpan<byte> buffer, long available, out RamBlock? block, out ulong first)
    {
        const RamFlags Plain = RamFlags.Page | RamFlags.Continue;
        block = _lastBlock;
        first = 0;
        if (_state != State.Ram || _mode != StreamReadMode.HeadersOnly || block is null || PageBits is not { } bits || buffer.Length < 8)
            return 0;
        var pageSize = 1UL << bits;
        var stride = 8 + (int)pageSize;
        var word = BinaryPrimitives.ReadUInt64BigEndian(buffer);
        first = word & ~(pageSize - 1);
        if ((RamFlags)(word - first) != Plain)
            return 0;
        int count = 0, at = 0;
        while (at + 8 <= buffer.Length && at + stride <= available && word < block.Length && BinaryPrimitives.ReadUInt64BigEndian(buffer[at..]) == word)
        {
            count++;
            at += stride;
            word += pageSize;
        }

        Offset += at;
        return count;
    }

    private bool ReadRamItem(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        if (buffer.Length < 8)
            return More(8, out element, out needed);
        var word = BinaryPrimitives.ReadUInt64BigEndian(buffer);
        var mask = (1UL << (PageBits ?? DefaultPageBits)) - 1;
        var flags = (RamFlags)(word & mask);
        var offset = word & ~mask;
        if (IsMapped && (flags & NotInMappedRam) is not RamFlags.None and var unexpected)
            throw RamError(0, "flags", $"Unexpected RAM flags: {unexpected}; a mapped-ram file has neither pages nor meetings here");
        switch (flags & ~RamFlags.Continue)
        {
            case RamFlags.Page or RamFlags.Zero or RamFlags.Xbzrle or RamFlags.CompressPage when Starts:
                throw RamError(0, "flags", "a page in START, which has the block list alone");
            case RamFlags.Page or RamFlags.Zero or RamFlags.Xbzrle or RamFlags.CompressPage:
                return ReadPage(buffer, final, flags, offset, out element, out needed);
            case RamFlags.MemSize when Starts && !_blocksListed && offset <= long.MaxValue:
                _left = (long)offset;
                _state = State.RamBlocks;
                return Item(StreamElementKind.RamMemSize, flags, offset, out element, out needed);
            case RamFlags.MemSize:
                throw RamError(0, "block list", $"a block list outside START, a second one, or one of {offset} bytes");
            case RamFlags.Eos when Starts && !_blocksListed:
                throw RamError(0, "block list", "START ends without one");
            case RamFlags.Eos:
                _state = State.Footer;
                return Item(StreamElementKind.RamControl, flags, offset, out element, out needed);
            case RamFlags.MultifdFlush or RamFlags.Hook:
                return Item(StreamElementKind.RamControl, flags, offset, out element, out needed);
            default:
                throw RamError(0, "flags", $"0x{(ushort)flags:x} is no combination of flags that QEMU writes");
        }
    }

    private bool Item(StreamElementKind kind, RamFlags flags, ulong offset, out StreamElement element, out int needed)
    {
        needed = 0;
        element = new StreamElement { Kind = kind, Offset = Offset, Length = 8, Flags = flags, PageOffset = offset };
        return true;
    }

    private bool IsMapped => Configuration?.Has(ConfigurationSection.MappedRam) ?? false;

    private bool Starts => _section!.Type == SectionType.Start;

    private bool ReadRamBlock(ReadOnlySpan<byte> buffer, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        if (!reader.TryCounted(out string name) || !reader.TryUInt64(out var length))
            return More(reader.Needed, out element, out needed);
        if (name.Length == 0 || name.Contains('?', StringComparison.Ordinal))
            throw RamError(0, "block idstr", "a block without a name, or with one that isn't ASCII");
        if (length > (ulong)_left)
            throw RamError(reader.Position - 8, "block length", $"block '{name}' has {length} bytes, only {_left} of the sum are left");
        if (_blocks.Count == MaxBlocks || _blocks.Exists(b => string.Equals(b.Name, name, StringComparison.Ordinal)))
            throw RamError(0, "block idstr", $"block '{name}' is listed twice, or is one more than {MaxBlocks}");
        var shared = Configuration?.Has(ConfigurationSection.IgnoreShared) ?? false;
        ulong? pageSize = null;
        if (PostcopyAdvice is { } advice)
        {
            if (!HasPageSize(reader.Remaining, advice, shared, out var present, out var more))
                return More(reader.Position + more, out element, out needed);
            if (present && reader.TryUInt64(out var value))
                pageSize = value;
        }

        ulong? address = null;
        if (shared)
        {
            if (!reader.TryUInt64(out var value))
                return More(reader.Needed, out element, out needed);
            address = value;
        }

        MappedRamHeader? mapped = null;
        if (IsMapped)
        {
            var at = reader.Position;
            if (!MappedRamHeader.TryRead(ref reader, Offset + at, (ulong)(FileOffset + Offset + at), name, length, PageBits, out var header))
                return More(reader.Needed, out element, out needed);
            mapped = header;
            PageBits = BitOperations.TrailingZeroCount(header.PageSize);
            _mappedLeft = (long)(header.PagesOffset + length) - (FileOffset + Offset + reader.Position);
            _state = State.MappedRam;
        }

        var block = new RamBlock(_blocks.Count, name, length) { PageSize = pageSize, Address = address, Mapped = mapped };
        _blocks.Add(block);
        _left -= (long)length;
        needed = 0;
        element = new StreamElement { Kind = StreamElementKind.RamBlock, Offset = Offset, Length = reader.Position, Block = block };
        return true;
    }

    /// <summary>
    /// A block whose pages aren't of the usual size carries their size, and nothing says that it does. What stands there otherwise
    /// is an idstr, whose first byte isn't 0, or an item without a page offset; neither is one of the page sizes that were advised.
    /// </summary>
    private static bool HasPageSize(ReadOnlySpan<byte> next, PostcopyAdvise advice, bool shared, out bool present, out int needed)
    {
        needed = shared ? 16 : 8;
        present = false;
        if (next.Length < needed)
            return false;
        var first = BinaryPrimitives.ReadUInt64BigEndian(next);
        present = BitOperations.IsPow2(first) && first >= 1UL << DefaultPageBits && (first & advice.PageSizeSummary) != 0;
        if (present && shared)
        {
            var second = BinaryPrimitives.ReadUInt64BigEndian(next[8..]);
            present = second >> 56 == 0 && second % (1UL << DefaultPageBits) == 0;
        }

        return true;
    }

    private bool ReadPage(ReadOnlySpan<byte> buffer, bool final, RamFlags flags, ulong offset, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        reader.TryUInt64(out _);
        var block = _lastBlock;
        if (!flags.HasFlag(RamFlags.Continue))
        {
            if (!reader.TryCounted(out ReadOnlySpan<byte> name))
                return More(reader.Needed, out element, out needed);
            block = FindBlock(name);
        }

        if (block is null)
            throw RamError(0, "flags", "CONTINUE, and no block came before");
        var form = flags & PageForms;
        if (PageBits is null && form == RamFlags.Page)
        {
            var probe = new PageSizeProbe(buffer, reader.Position, offset, block, _blocks);
            if (!probe.TryAfterPage(out var bits, out needed) && !final)
                return More(needed, out element, out needed);
            PageBits = bits;
            return ReadRamItem(buffer, final, out element, out needed);
        }

        if (offset >= block.Length)
            throw RamError(0, "page offset", $"0x{offset:x} is beyond block '{block.Name}' of 0x{block.Length:x} bytes");
        ReadOnlySpan<byte> payload;
        var length = reader.Position;
        if (form == RamFlags.Page)
        {
            var pageSize = 1 << (PageBits ?? DefaultPageBits);
            length += pageSize;
            payload = default;
            if (_mode == StreamReadMode.Whole && !reader.TryBytes(pageSize, out payload))
                return More(reader.Needed, out element, out needed);
        }
        else
        {
            if (!TryForm(ref reader, form, out payload))
                return More(reader.Needed, out element, out needed);
            length = reader.Position;
        }

        _lastBlock = block;
        needed = 0;
        element = new StreamElement
        {
            Kind = StreamElementKind.RamPage,
            Offset = Offset,
            Length = length,
            Block = block,
            PageOffset = offset,
            PageBits = PageBits ?? DefaultPageBits,
            Flags = flags,
            Payload = payload,
        };
        return true;
    }

    private bool TryForm(scoped ref WireReader reader, RamFlags form, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        switch (form)
        {
            case RamFlags.Zero:
                return reader.TryBytes(1, out payload);
            case RamFlags.Xbzrle:
                if (!reader.TryByte(out var encoding) || !reader.TryUInt16(out var encoded))
                    return false;
                if (encoding != RamItem.XbzrleEncoding)
                    throw RamError(reader.Position - 3, "encoding", $"0x{encoding:x2} is not XBZRLE's 0x{RamItem.XbzrleEncoding:x2}");
                if (encoded > 1 << (PageBits ?? DefaultPageBits))
                    throw RamError(reader.Position - 2, "length", $"an XBZRLE encoding of {encoded} bytes is longer than a page");
                return reader.TryBytes(encoded, out payload);
            default:
                if (!reader.TryUInt32(out var compressed))
                    return false;
                if (compressed > 2 << (PageBits ?? DefaultPageBits))
                    throw RamError(reader.Position - 4, "length", $"a compressed page of {compressed} bytes is longer than two pages");
                return reader.TryBytes((int)compressed, out payload);
        }
    }

    private RamBlock FindBlock(ReadOnlySpan<byte> name)
    {
        foreach (var block in _blocks)
        {
            if (name.SequenceEqual(block.NameBytes))
                return block;
        }

        throw RamError(8, "block idstr", $"block '{System.Text.Encoding.ASCII.GetString(name)}' is not in the block list");
    }

    private MigrationStreamException RamError(int within, string field, string reason) => new(Offset + within, Label, field, reason);
}
