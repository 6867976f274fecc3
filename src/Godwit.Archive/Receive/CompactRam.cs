using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>
/// Writes guest memory as one RAM section that holds each page once. A page that comes for the first time is appended; one that
/// comes again overwrites what it was. Zero pages are only noted, and written last, for a zero page may still become another.
/// </summary>
internal sealed partial class CompactRam : ReceivedRam
{
    private const long ZeroPage = 1;

    private readonly PageIndex _index;
    private readonly long[] _firstPage;
    private readonly int _granuleBits;
    private readonly byte[] _buffer = new byte[1 << 16];
    private RamBlock? _last;
    private int _runStart;
    private int _runLength;
    private long _stored;
    private long _zero;
    private long _rewritten;

    /// <param name="granuleBits">Base-2 logarithm of what the index counts in: the page size, or less where that isn't known yet.</param>
    public CompactRam(PartialFile file, PageIndex index, MigrationStreamReader reader, int granuleBits)
        : base(file, reader)
    {
        _index = index;
        _granuleBits = granuleBits;
        _firstPage = new long[Blocks.Count + 1];
        for (var i = 0; i < Blocks.Count; i++)
            _firstPage[i + 1] = checked(_firstPage[i] + (long)Blocks[i].Pages(granuleBits));
        WriteHeader(SectionType.Part);
    }

    public override long StoredPages => _stored;

    /// <summary>Nine bytes each.</summary>
    public override long ZeroPages => _zero;

    public override long RewrittenPages => _rewritten;

    public override long Progress => _stored + _zero;

    public override void Add(in StreamElement page, StreamInput input)
    {
        var key = Key(page.Block!, page.PageOffset);
        var at = _index[key];
        if (at != 0)
            _rewritten++;
        switch (page.Flags & ~RamFlags.Continue)
        {
            case RamFlags.Page when at > ZeroPage:
                Overwrite(at, page.Payload, input);
                break;
            case RamFlags.Page:
                _index[key] = Append(page, page.Payload, input, at == ZeroPage);
                break;
            case RamFlags.Zero:
                if (page.Payload[0] != 0)
                    throw Error(page, "fill", $"a page of bytes 0x{page.Payload[0]:x2}; QEMU writes only zero pages so");
                if (at > ZeroPage)
                    Overwrite(at, Zeros(page), input);
                else if (at == 0)
                    _zero++;
                _index[key] = at > ZeroPage ? at : ZeroPage;
                break;
            default:
                ApplyXbzrle(page, key, at, input);
                break;
        }
    }

    public override void Flush(ReadOnlySpan<byte> buffer)
    {
        if (_runLength > 0)
            File.Append(buffer.Slice(_runStart, _runLength));
        _runLength = 0;
    }

    /// <summary>Writes the zero pages and closes the section.</summary>
    public override void Finish(bool footers)
    {
        var buffer = new byte[1 << 16];
        var used = 0;
        foreach (var block in Blocks)
        {
            _index.ForEach(_firstPage[block.Index], _firstPage[block.Index + 1], (page, at) =>
            {
                if (at != ZeroPage)
                    return;
                if (buffer.Length - used < RamItem.MaxHeaderLength + 1)
                {
                    File.Append(buffer.AsSpan(0, used));
                    used = 0;
                }

                var writer = new WireWriter(buffer.AsSpan(used));
                RamItem.WriteZeroPage(ref writer, (ulong)(page - _firstPage[block.Index]) << _granuleBits, block == _last ? null : block.Name);
                used += writer.Position;
                _last = block;
            });
        }

        File.Append(buffer.AsSpan(0, used));
        WriteEos(footers);
    }

    protected override void Dispose(bool disposing) => _index.Dispose();

    private long Key(RamBlock block, ulong offset) => _firstPage[block.Index] + (long)(offset >> _granuleBits);

    private void ApplyXbzrle(in StreamElement page, long key, long at, StreamInput input)
    {
        if (at == 0)
            throw Error(page, "XBZRLE", $"page 0x{page.PageOffset:x} of block '{page.Block!.Name}' has no version before this one");
        var bytes = Zeros(page);
        if (at != ZeroPage)
        {
            Flush(input.Buffer);
            File.ReadAt(at, bytes);
        }

        if (!Xbzrle.TryDecode(page.Payload, bytes))
            throw Error(page, "XBZRLE", $"page 0x{page.PageOffset:x} of block '{page.Block!.Name}' is malformed");
        if (at == ZeroPage)
        {
            Flush(input.Buffer);
            _index[key] = AppendRecord(page, bytes, wasZero: true);
        }
        else
        {
            File.WriteAt(at, bytes);
        }
    }

    private Span<byte> Zeros(in StreamElement page)
    {
        var bytes = _buffer.AsSpan(0, 1 << page.PageBits);
        bytes.Clear();
        return bytes;
    }

    /// <summary>Overwrites a page that may still be on its way into the file.</summary>
    private void Overwrite(long at, ReadOnlySpan<byte> page, StreamInput input)
    {
        if (at >= File.Length)
            Flush(input.Buffer);
        File.WriteAt(at, page);
    }

    private long Append(in StreamElement page, ReadOnlySpan<byte> bytes, StreamInput input, bool wasZero)
    {
        var wantsName = page.Block != _last;
        if (wantsName == page.Flags.HasFlag(RamFlags.Continue))
        {
            Flush(input.Buffer);
            return AppendRecord(page, bytes, wasZero);
        }

        // The record is what it must be in the file: leave it in the buffer, and write whole runs of records at once.
        if (_runLength > 0 && _runStart + _runLength != input.ElementStart)
            Flush(input.Buffer);
        if (_runLength == 0)
            _runStart = input.ElementStart;
        _runLength += (int)page.Length;
        Count(page.Block!, wasZero);
        return File.Length + _runLength - bytes.Length;
    }

    private long AppendRecord(in StreamElement page, ReadOnlySpan<byte> bytes, bool wasZero)
    {
        Span<byte> header = stackalloc byte[RamItem.MaxHeaderLength];
        var writer = new WireWriter(header);
        RamItem.WriteHeader(ref writer, page.PageOffset, RamFlags.Page, page.Block == _last ? null : page.Block!.Name);
        File.Append(writer.Written);
        File.Append(bytes);
        Count(page.Block!, wasZero);
        return File.Length - bytes.Length;
    }

    private void Count(RamBlock block, bool wasZero)
    {
        _last = block;
        _stored++;
        if (wasZero)
            _zero--;
    }
}
