using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Send;

/// <summary>
/// Plays a file as the stream that goes over a connection. A mapped-ram file's pages come in a PART that follows START, and its configuration doesn't name
/// mapped-ram; all else of a file stays as it is.
/// </summary>
internal sealed class StreamPlayer
{
    private const int ChunkLength = 1 << 20;

    private readonly StreamFile _file;
    private readonly StreamFileReader _input;
    private readonly long _headerEnd;
    private readonly long _headEnd;
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(ChunkLength);

    /// <exception cref="MigrationStreamException">It is no migration stream.</exception>
    public StreamPlayer(StreamFile file, int? pageSize = null)
    {
        _file = file;
        var look = new StreamFileReader(file, new MigrationStreamReader(StreamReadMode.HeadersOnly));
        while (look.TryNext(out var element) && element.Kind is StreamElementKind.Header or StreamElementKind.Configuration)
        {
            _headEnd = element.Offset + element.Length;
            if (element.Kind == StreamElementKind.Header)
                _headerEnd = _headEnd;
        }

        Configuration = look.Reader.Configuration;
        IsMapped = Configuration?.Has(ConfigurationSection.MappedRam) ?? false;
        if (IsMapped && Configuration!.Has(ConfigurationSection.IgnoreShared))
            throw new NotSupportedException("a mapped-ram file of a source with x-ignore-shared can't be played: it doesn't say which blocks were shared, and so not in it");
        var reader = new MigrationStreamReader(IsMapped ? StreamReadMode.HeadersOnly : StreamReadMode.Whole) { FileOffset = file.Start };
        if (pageSize is { } size)
            reader.PageBits = System.Numerics.BitOperations.Log2((uint)size);
        _input = new StreamFileReader(file, reader);
    }

    public ConfigurationSection? Configuration { get; }

    public bool IsMapped { get; }

    /// <summary>Bytes of the file that were played, for a progress bar.</summary>
    public Action<long> Played { get; init; } = static _ => { };

    /// <summary>Plays what an OPEN_RETURN_PATH command may follow.</summary>
    public void PlayHead(IPageSink sink)
    {
        if (!IsMapped)
        {
            Copy(sink, 0, _headEnd);
            return;
        }

        Copy(sink, 0, _headerEnd);
        var others = Configuration!.Capabilities!.Where(c => c != ConfigurationSection.MappedRam).ToList();
        var buffer = new byte[_headEnd];
        var writer = new WireWriter(buffer);
        (Configuration with { Capabilities = others.Count > 0 ? others : null }).Write(ref writer);
        sink.Write(writer.Written);
    }

    /// <summary>Plays all the rest as it is in the file.</summary>
    public void PlayRest(IPageSink sink) => Copy(sink, _headEnd, _file.Length);

    /// <summary>Plays the rest with the pages apart from what surrounds them.</summary>
    /// <exception cref="MigrationStreamException">The file is malformed.</exception>
    /// <exception cref="NotSupportedException">It has pages that can't be taken out.</exception>
    public void PlayPages(IPageSink sink)
    {
        var reader = _input.Reader;
        SectionHeader? due = null;
        while (_input.TryNext(out var element))
        {
            if (element.Offset < _headEnd)
                continue;
            if (due is not null && element.Kind != StreamElementKind.SectionFooter)
            {
                PlayMapped(sink, due);
                due = null;
            }

            switch (element.Kind)
            {
                case StreamElementKind.RamPage:
                    PlayPage(sink, element);
                    continue;
                case StreamElementKind.RamMemSize or StreamElementKind.RamBlock or StreamElementKind.MappedRamData when IsMapped:
                    continue;
                case StreamElementKind.RamControl when element.Flags.HasFlag(RamFlags.Eos) && reader.Section!.Type == SectionType.Start && IsMapped:
                    WriteList(sink);
                    sink.EndPages();
                    due = reader.Section;
                    break;
                case StreamElementKind.RamControl when element.Flags.HasFlag(RamFlags.MultifdFlush):
                    // The channels here meet where this end says so.
                    continue;
                case StreamElementKind.RamControl when element.Flags.HasFlag(RamFlags.Eos):
                    sink.EndPages();
                    break;
                case StreamElementKind.Command when element.Command == CommandType.PostcopyAdvise && IsMapped:
                    throw new NotSupportedException("a mapped-ram file of a source with postcopy-ram can't be played");
            }

            Copy(sink, element.Offset, element.Offset + element.Length);
            if (due is not null && element.Kind == StreamElementKind.SectionFooter)
            {
                PlayMapped(sink, due);
                due = null;
            }

            // What comes now are devices, in which anything may stand.
            if (reader.AtBoundary && reader.Section is { IsRam: true, Type: SectionType.End })
                break;
        }

        if (due is not null)
            PlayMapped(sink, due);
        Copy(sink, reader.Offset, _file.Length);
    }

    /// <summary>Base-2 logarithm of the page size: what the file says, or else <paramref name="pageSize"/>, or else what its pages show.</summary>
    public static int? FindPageBits(StreamFile file, int? pageSize)
    {
        var look = new StreamFileReader(file, new MigrationStreamReader(StreamReadMode.HeadersOnly) { FileOffset = file.Start });
        while (!look.Reader.AtBoundary && look.TryNext(out _))
        {
        }

        if (look.Reader.PageBits is null && pageSize is { } size)
            return System.Numerics.BitOperations.Log2((uint)size);
        while (look.Reader.PageBits is null && look.TryNext(out var element) && (!look.Reader.AtBoundary || look.Reader.Section is not { IsRam: true, Type: SectionType.End }))
        {
        }

        return look.Reader.PageBits;
    }

    private void PlayPage(IPageSink sink, in StreamElement page)
    {
        switch (page.Flags & ~RamFlags.Continue)
        {
            case RamFlags.Page:
                sink.WritePages(page.Block!, page.PageOffset, page.PageBits, page.Payload);
                break;
            case RamFlags.Zero:
                sink.WriteZeros(page.Block!, page.PageOffset, page.PageBits, 1);
                break;
            default:
                throw new NotSupportedException($"at byte {page.Offset} the file has a page as XBZRLE: 'godwit convert IN OUT --to stream' makes one of it that has each page whole");
        }

        Played(page.Offset + page.Length);
    }

    private void WriteList(IPageSink sink)
    {
        var buffer = new byte[RamBlock.MaxEntryLength];
        var writer = new WireWriter(buffer);
        RamItem.WriteMemSize(ref writer, _input.Reader.Blocks.Aggregate(0UL, (sum, b) => sum + b.Length));
        sink.Write(writer.Written);
        foreach (var block in _input.Reader.Blocks)
        {
            writer = new WireWriter(buffer);
            (block with { Mapped = null }).Write(ref writer);
            sink.Write(writer.Written);
        }
    }

    /// <summary>A PART with all pages.</summary>
    private void PlayMapped(IPageSink sink, SectionHeader start)
    {
        var section = start with { Type = SectionType.Part };
        var buffer = new byte[SectionHeader.MaxLength];
        var writer = new WireWriter(buffer);
        section.Write(ref writer);
        sink.Write(writer.Written);
        foreach (var block in _input.Reader.Blocks)
            PlayBlock(sink, block);
        sink.EndPages();
        writer = new WireWriter(buffer);
        RamItem.WriteEos(ref writer);
        if (_input.Reader.HasFooters == true)
            section.WriteFooter(ref writer);
        sink.Write(writer.Written);
    }

    private void PlayBlock(IPageSink sink, RamBlock block)
    {
        var bits = _input.Reader.PageBits!.Value;
        var pages = (long)block.Mapped!.Value.PagesOffset - _file.Start;
        new MappedPages(_file, block).ForEachRun((first, count, stored) =>
        {
            var offset = (ulong)first << bits;
            if (!stored)
            {
                sink.WriteZeros(block, offset, bits, count);
                return;
            }

            for (var left = count << bits; left > 0;)
            {
                var piece = _chunk.AsSpan(0, (int)Math.Min(left, ChunkLength));
                if (_file.Read(pages + (long)offset, piece) < piece.Length)
                    throw new IOException("the file became shorter while it was read");
                sink.WritePages(block, offset, bits, piece);
                left -= piece.Length;
                offset += (ulong)piece.Length;
                Played(pages + (long)offset);
            }
        });
    }

    private void Copy(IPageSink sink, long from, long to)
    {
        while (from < to)
        {
            var count = _file.Read(from, _chunk.AsSpan(0, (int)Math.Min(ChunkLength, to - from)));
            if (count == 0)
                throw new IOException("the file became shorter while it was read");
            sink.Write(_chunk.AsSpan(0, count));
            from += count;
            Played(from);
        }
    }
}
