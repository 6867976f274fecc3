using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Archive.Analyze;

/// <summary>Reads a stream file from end to end, without looking at the pages' bytes.</summary>
public sealed class StreamAnalyzer
{
    private readonly StreamFile _file;
    private readonly StreamFileReader _input;
    private readonly StreamReport _report;
    private readonly Dictionary<int, SectionReport> _sections = [];
    private readonly List<BlockReport> _blocks = [];
    private SectionReport? _current;
    private bool _ramEnded;
    private int? _countedBits;

    private StreamAnalyzer(StreamFile file, int? pageSize)
    {
        _file = file;
        _report = new StreamReport { FileLength = file.Length };
        var reader = new MigrationStreamReader(StreamReadMode.HeadersOnly) { FileOffset = file.Start };
        if (pageSize is { } size)
            reader.PageBits = System.Numerics.BitOperations.Log2((uint)size);
        _input = new StreamFileReader(file, reader);
        Inspect = static (in StreamElement _) => { };
    }

    /// <summary>Sees every element as it is read, but for pages in runs, of which there is nothing to say.</summary>
    public delegate void Inspector(in StreamElement element);

    private Inspector Inspect { get; init; }

    /// <param name="pageSize">Bytes of a target page, for a stream that doesn't say it; null to find it from the pages.</param>
    /// <param name="inspect">Sees every element besides, from the header on and maybe twice, or null.</param>
    public static StreamReport Analyze(StreamFile file, int? pageSize = null, Inspector? inspect = null)
    {
        var analyzer = inspect is null ? new StreamAnalyzer(file, pageSize) : new StreamAnalyzer(file, pageSize) { Inspect = inspect };
        analyzer.Run();

        // Zero pages were counted before a page, or the description, told the page size: once more, knowing it, if it can be true.
        var report = analyzer._report;
        if (pageSize is not null || analyzer._countedBits is not { } bits || 1 << bits == report.PageSize)
            return report;
        if (Analyze(file, report.PageSize, inspect) is { Break: null } again)
            return again;
        report.PageSize = 1 << bits;
        return report;
    }

    private MigrationStreamReader Reader => _input.Reader;

    private void Run()
    {
        try
        {
            while (_input.TryNext(out var element))
            {
                Take(element);
                Inspect(element);
                if (element.Kind == StreamElementKind.RamPage)
                    TakePages();
                if (_ramEnded && Reader.AtBoundary)
                    FindDescription();
            }
        }
        catch (MigrationStreamException e)
        {
            _report.Break = new StreamBreak(e.Section, e.Field, e.Offset, e.Reason, e.Unsupported);
        }

        _report.Configuration = Reader.Configuration;
        _report.HasFooters = Reader.HasFooters;
        _report.PageSize = 1 << (Reader.PageBits ?? DefaultPageBits());
        _report.Blocks = _blocks.Count > 0 ? _blocks : [.. Reader.Blocks.Select(b => new BlockReport(b, Reader.PageBits ?? DefaultPageBits()))];
        Describe();
    }

    private int DefaultPageBits() => _report.Description?.PageSize is { } size && size is >= 1 << 8 and <= 1 << 16 ? System.Numerics.BitOperations.Log2((uint)size) : MigrationStreamReader.DefaultPageBits;

    private void Take(in StreamElement element)
    {
        switch (element.Kind)
        {
            case StreamElementKind.RamPage:
                TakePage(element);
                break;
            case StreamElementKind.SectionStart:
                TakeSection(element, Reader.Section!);
                break;
            case StreamElementKind.SectionData or StreamElementKind.RamBlock or StreamElementKind.RamMemSize:
                _current!.Length += element.Length;
                break;
            case StreamElementKind.RamControl:
                _current!.Length += element.Length;
                if (element.Flags.HasFlag(RamFlags.Eos))
                    _current.IsComplete = true;
                if (element.Flags.HasFlag(RamFlags.Eos) && Reader.Section!.Type == SectionType.End)
                    _ramEnded = true;
                break;
            case StreamElementKind.SectionFooter:
                _current!.IsComplete = true;
                break;
            case StreamElementKind.MappedRamData:
                _current!.Length += element.Length;
                TakeMapped(Reader.Blocks[^1]);
                break;
            case StreamElementKind.Command:
                _report.Commands.Add(new CommandReport(element.Command.QemuName(), element.Offset, element.Payload.Length));
                break;
            case StreamElementKind.Eof:
                _report.ReachedEof = true;
                Leave();
                break;
            case StreamElementKind.VmDescriptionData:
                _report.DescriptionLength += element.Length;
                if (_report.Description is null)
                    ReadDescription(element.Offset, element.Length);
                break;
        }
    }

    private void TakePage(in StreamElement page)
    {
        if (_countedBits is null)
        {
            _countedBits = page.PageBits;
            foreach (var block in Reader.Blocks)
                _blocks.Add(new BlockReport(block, page.PageBits));
        }

        var report = _blocks[page.Block!.Index];
        report.WireBytes += page.Length;
        report.States.Set(page.PageOffset >> page.PageBits, page.Flags.HasFlag(RamFlags.Zero));
        _current!.Length += page.Length;
    }

    private void TakeMapped(RamBlock block)
    {
        var report = new BlockReport(block, Reader.PageBits!.Value);
        var stored = 0L;
        new MappedPages(_file, block).ForEachRun((_, count, has) => stored += has ? count : 0);
        report.MappedStored = stored;
        report.WireBytes = stored << Reader.PageBits.Value;
        _blocks.Add(report);
    }

    /// <summary>Where a section has no footer, the next element shows that it is over.</summary>
    private void Leave()
    {
        if (_current is not null)
            _current.IsComplete = true;
    }

    private void TakePages()
    {
        int count;
        while ((count = _input.SkipPages(out var block, out var first)) > 0)
        {
            var report = _blocks[block!.Index];
            var length = count * (8L + (1 << Reader.PageBits!.Value));
            report.WireBytes += length;
            _current!.Length += length;
            report.States.SetStored(first >> Reader.PageBits.Value, count);
        }
    }

    private void TakeSection(in StreamElement element, SectionHeader header)
    {
        Leave();
        if (_sections.TryGetValue((int)header.Id, out var known))
        {
            known.Parts++;
            known.LastType = header.Type;
            known.IsComplete = false;
            _current = known;
            return;
        }

        _current = new SectionReport
        {
            Header = header,
            LastType = header.Type,
            Offset = element.Offset,
            BodyOffset = element.Offset + element.Length,
            Proof = header.IsRam ? SectionProof.Format : Reader.SectionIsSized ? SectionProof.Described : SectionProof.Footer,
        };
        _sections.Add((int)header.Id, _current);
        _report.Sections.Add(_current);
    }

    private void FindDescription()
    {
        var before = _report.Sections.Count(s => s.Header.Type == SectionType.Full);
        var area = new DeviceArea(_file, Reader.Fork(StreamReadMode.HeadersOnly, Reader.Offset), before);
        _report.Description = area.Find(out _);
        if (_report.Description is not null)
            Reader.Lengths = new DescriptionLengths(_report.Description, _file, before, Reader.HasFooters ?? true);
        _ramEnded = false;
    }

    /// <summary>Reads a description that the sections before it contradict, so that it can be shown all the same.</summary>
    private void ReadDescription(long offset, long length)
    {
        var json = new byte[length];
        if (_file.Read(offset, json) < length)
            return;
        try
        {
            _report.Description = VmDescription.Parse(json);
        }
        catch (FormatException e)
        {
            throw new MigrationStreamException(offset, "description", "JSON", e.Message);
        }
    }

    private void Describe()
    {
        if (_report.Description is null)
            return;
        var devices = new Dictionary<string, VmStructure>(StringComparer.Ordinal);
        foreach (var device in _report.Description.Devices)
            devices.TryAdd($"{device.Name}/{device.InstanceId}", device);
        foreach (var section in _report.Sections)
            section.Description = devices.GetValueOrDefault($"{section.Header.Name}/{section.Header.InstanceId}");
    }
}
