using System.Runtime.InteropServices;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.MappedRam;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>
/// Writes guest memory as a mapped-ram file has it: each page at a place of its own, whenever it comes and however often. START holds all of it; page size and
/// bitmaps are filled in last. A page that comes as zero only loses its bit.
/// </summary>
internal sealed class PlacedRam : ReceivedRam
{
    private const int RunLength = 1 << 20;

    private readonly (MappedRamHeader Header, long HeaderAt, PageBitmap Has)[] _places;
    private readonly byte[] _run = GC.AllocateUninitializedArray<byte>(RunLength);
    private readonly Lock _lock = new();
    private readonly int _granuleBits;
    private RamBlock? _runBlock;
    private ulong _runStart;
    private int _runUsed;
    private int _pageBits;
    private long _stored;
    private long _rewritten;
    private long _progress;
    private long _zero;
    private volatile bool _finished;

    /// <summary>Writes START up to its EOS.</summary>
    /// <param name="granuleBits">Base-2 logarithm of the page size, or of the least that it can be.</param>
    /// <exception cref="MigrationStreamException">The blocks are too much for any file.</exception>
    /// <exception cref="IOException">They are too much for this one.</exception>
    public PlacedRam(PartialFile file, MigrationStreamReader reader, int granuleBits)
        : base(file, reader)
    {
        _granuleBits = granuleBits;
        _places = new (MappedRamHeader, long, PageBitmap)[Blocks.Count];
        WriteHeader(SectionType.Start);
        var buffer = new byte[RamBlock.MaxEntryLength];
        var writer = new WireWriter(buffer);
        RamItem.WriteMemSize(ref writer, Blocks.Aggregate(0UL, (sum, b) => sum + b.Length));
        file.Append(writer.Written);
        foreach (var block in Blocks)
            Place(block, buffer, reader, granuleBits);
        writer = new WireWriter(buffer);
        RamItem.WriteEos(ref writer);
        file.Append(writer.Written);
    }

    public override long StoredPages => Volatile.Read(ref _stored);

    public override long ZeroPages => _zero;

    public override long RewrittenPages => Volatile.Read(ref _rewritten);

    public override long Progress => Volatile.Read(ref _progress);

    public override void Add(in StreamElement page, StreamInput input)
    {
        var block = page.Block!;
        var size = 1 << page.PageBits;
        if (block.Length < (ulong)size || page.PageOffset > block.Length - (ulong)size)
            throw Error(page, "page offset", $"page 0x{page.PageOffset:x} ends outside of block '{block.Name}' of 0x{block.Length:x} bytes");
        switch (page.Flags & ~RamFlags.Continue)
        {
            case RamFlags.Page:
                Settle(page.PageBits);
                Append(block, page.PageOffset, page.Payload);
                Count(1, Put(block, page.PageOffset, page.PageBits) ? 1 : 0, 0, 0);
                break;
            case RamFlags.Zero:
                if (page.Payload[0] != 0)
                    throw Error(page, "fill", $"a page of bytes 0x{page.Payload[0]:x2}; QEMU writes only zero pages so");
                Count(0, 0, 1, Clear(block, page.PageOffset) ? 1 : 0);
                break;
            default:
                Settle(page.PageBits);
                ApplyXbzrle(page, size);
                break;
        }
    }

    public override void AddShared(in StreamElement page, StreamInput input)
    {
        lock (_lock)
        {
            Add(page, input);
            WriteRun();
        }
    }

    /// <summary>Nothing to do: pages were copied.</summary>
    public override void Flush(ReadOnlySpan<byte> buffer)
    {
    }

    public override PacketPlaces CreatePlaces(int pageBits)
    {
        Settle(pageBits);
        return new PlacedPackets(this, pageBits);
    }

    public override void EndPackets() => _finished = true;

    public override void Finish(bool footers)
    {
        WriteRun();
        _finished = true;
    }

    public override void TellPageSize(int pageBits)
    {
        Settle(pageBits);
        var buffer = new byte[MappedRamHeader.Length];
        foreach (var block in Blocks)
        {
            var (header, at, has) = _places[block.Index];
            header = header with { PageSize = 1UL << pageBits };
            var writer = new WireWriter(buffer);
            header.Write(ref writer);
            File.WriteAt(at, writer.Written);
            has.ForEach((long)header.BitmapLength(block.Length) / sizeof(ulong), (first, words) => File.WriteAt((long)header.BitmapOffset + (first * sizeof(ulong)), MemoryMarshal.AsBytes(words.Span)));
            _zero += (long)header.Pages(block.Length);
        }

        _zero -= StoredPages;
    }

    /// <summary>Settles where in the file the normal pages of a packet go. For any thread.</summary>
    /// <param name="places">Of these pages, in the packet's order.</param>
    /// <returns>False: memory is over.</returns>
    public bool Take(in MultifdPacket packet, RamBlock block, int pageBits, Span<long> places)
    {
        if (_finished)
            return false;
        var start = _places[block.Index].Header.PagesOffset;
        int again = 0, cleared = 0;
        for (var i = 0; i < packet.NormalPages; i++)
        {
            again += Put(block, packet.Offset(i), pageBits) ? 1 : 0;
            places[i] = (long)(start + packet.Offset(i));
        }

        for (var i = packet.NormalPages; i < packet.NormalPages + packet.ZeroPages; i++)
            cleared += Clear(block, packet.Offset(i)) ? 1 : 0;
        Count(packet.NormalPages, again, packet.ZeroPages, cleared);
        return true;
    }

    /// <summary>For any thread.</summary>
    /// <exception cref="IOException">The file can't be written.</exception>
    public void WriteAt(long at, ReadOnlySpan<byte> pages) => File.WriteAt(at, pages);

    protected override void Dispose(bool disposing)
    {
    }

    private void Place(RamBlock block, byte[] buffer, MigrationStreamReader reader, int granuleBits)
    {
        var writer = new WireWriter(buffer);
        (block with { Mapped = null }).Write(ref writer);
        var at = File.Length + writer.Position;
        var header = MappedRamHeader.Place((ulong)at, block.Length, granuleBits);
        if (block.Length > long.MaxValue / 2 || header.PagesOffset > long.MaxValue / 2)
            throw new MigrationStreamException(reader.Offset, SectionHeader.RamName, "block length", $"block '{block.Name}' of {block.Length} bytes has no place in any file");
        header.Write(ref writer);
        File.Append(writer.Written);
        File.Reserve((long)(header.PagesOffset + block.Length) - File.Length);
        File.Extend();
        _places[block.Index] = (header, at, new PageBitmap());
    }

    /// <summary>All pages that have bytes are of one size.</summary>
    private void Settle(int pageBits)
    {
        if (pageBits < _granuleBits)
            throw TooSmall(pageBits);
        var before = Interlocked.CompareExchange(ref _pageBits, pageBits, 0);
        if (before != 0 && before != pageBits)
            throw new MigrationStreamException(0, SectionHeader.RamName, "page size", $"pages of {1 << before} bytes and of {1 << pageBits} came");
    }

    /// <param name="again">Of the pages, those that had bytes before.</param>
    /// <param name="cleared">Of the zero ones, those that had bytes before.</param>
    private void Count(int pages, int again, int zeros, int cleared)
    {
        Interlocked.Add(ref _stored, pages - again - cleared);
        Interlocked.Add(ref _rewritten, again + cleared);
        Interlocked.Add(ref _progress, pages + zeros);
    }

    private bool Put(RamBlock block, ulong offset, int pageBits) => _places[block.Index].Has.Set((long)(offset >> pageBits));

    /// <summary>Nothing is there to be cleared before the first page has come that isn't zero.</summary>
    private bool Clear(RamBlock block, ulong offset) =>
        Volatile.Read(ref _pageBits) is > 0 and var bits && _places[block.Index].Has.Clear((long)(offset >> bits));

    /// <summary>Pages that follow each other are written at once.</summary>
    private void Append(RamBlock block, ulong offset, ReadOnlySpan<byte> page)
    {
        if (block != _runBlock || offset != _runStart + (ulong)_runUsed || _runUsed + page.Length > RunLength)
        {
            WriteRun();
            _runBlock = block;
            _runStart = offset;
        }

        page.CopyTo(_run.AsSpan(_runUsed));
        _runUsed += page.Length;
    }

    private void WriteRun()
    {
        if (_runUsed > 0)
            File.WriteAt((long)(_places[_runBlock!.Index].Header.PagesOffset + _runStart), _run.AsSpan(0, _runUsed));
        _runUsed = 0;
        _runBlock = null;
    }

    private void ApplyXbzrle(in StreamElement page, int size)
    {
        WriteRun();
        var block = page.Block!;
        var bytes = _run.AsSpan(0, size);
        bytes.Clear();
        var at = (long)(_places[block.Index].Header.PagesOffset + page.PageOffset);
        if (_places[block.Index].Has.IsSet((long)(page.PageOffset >> page.PageBits)))
            File.ReadAt(at, bytes);
        if (!Xbzrle.TryDecode(page.Payload, bytes))
            throw Error(page, "XBZRLE", $"page 0x{page.PageOffset:x} of block '{block.Name}' is malformed");
        File.WriteAt(at, bytes);
        Count(1, Put(block, page.PageOffset, page.PageBits) ? 1 : 0, 0, 0);
    }
}
