using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Analyze;

/// <param name="Report">What the stream holds.</param>
/// <param name="Problems">What is wrong with it, in stream order; empty for a stream that QEMU's loader has no reason to refuse.</param>
/// <param name="Notes">What can't be proven, or is worth knowing.</param>
public sealed record StreamVerdict(StreamReport Report, IReadOnlyList<StreamBreak> Problems, IReadOnlyList<string> Notes);

/// <summary>Checks a stream file: structure, footers, ids, block bounds, page encodings, and the description against the sections.</summary>
public sealed class StreamVerifier
{
    private const int MaxProblems = 100;

    private readonly StreamFile _file;
    private readonly byte[] _page = new byte[1 << 16];
    private readonly List<StreamBreak> _problems = [];
    private readonly List<string> _notes = [];

    private StreamVerifier(StreamFile file)
    {
        _file = file;
    }

    public static StreamVerdict Verify(StreamFile file, int? pageSize = null)
    {
        var verifier = new StreamVerifier(file);
        var report = StreamAnalyzer.Analyze(file, pageSize, verifier.CheckPage);
        verifier.CheckSections(report);
        verifier.CheckDescription(report);
        if (report.Break is not null)
            verifier._problems.Add(report.Break);
        return new StreamVerdict(report, verifier._problems, verifier._notes);
    }

    private void CheckPage(in StreamElement element)
    {
        if (element.Kind == StreamElementKind.Header)
            _problems.Clear();
        if (element.Kind != StreamElementKind.RamPage || _problems.Count >= MaxProblems)
            return;
        if (element.Flags.HasFlag(RamFlags.Zero) && element.Payload[0] != 0)
            Problem(element, "fill", $"a zero page of bytes 0x{element.Payload[0]:x2}");
        if (element.Flags.HasFlag(RamFlags.Xbzrle) && !Xbzrle.TryDecode(element.Payload, _page.AsSpan(0, 1 << element.PageBits)))
            Problem(element, "XBZRLE", $"page 0x{element.PageOffset:x} of block '{element.Block!.Name}' is malformed");
    }

    private void CheckSections(StreamReport report)
    {
        foreach (var section in report.Sections)
        {
            if (section.Header.IsRam && section.LastType != SectionType.End && report.ReachedEof)
                _problems.Add(new StreamBreak(section.Header.Label, "END", section.Offset, "guest memory has a START and no END", null));
            if (section.Proof == SectionProof.Footer && section.IsComplete)
                _notes.Add($"section '{section.Header.Label}' at byte {section.Offset}: its end is known by its footer only");
        }

        foreach (var block in report.Blocks)
        {
            if (block.Missing > 0 && report.ReachedEof)
                _notes.Add($"block '{block.Block.Name}': {block.Missing} of {block.Pages} pages are not in the stream");
        }
    }

    private void CheckDescription(StreamReport report)
    {
        if (!report.ReachedEof)
            return;
        if (report.Description is not { } description)
        {
            _notes.Add("the stream has no description of its devices; their fields can't be checked");
            return;
        }

        if (description.PageSize is { } size && size != report.PageSize)
            _problems.Add(new StreamBreak("description", "page_size", report.FileLength - report.DescriptionLength, $"{size}, but pages have {report.PageSize} bytes", null));
        var devices = report.Sections.Where(s => s.Header.Type == SectionType.Full).ToList();
        for (var i = 0; i < Math.Max(devices.Count, description.Devices.Count); i++)
        {
            if (_problems.Count >= MaxProblems)
                return;
            if (i >= devices.Count)
            {
                _problems.Add(new StreamBreak("description", description.Devices[i].Name, report.FileLength - report.DescriptionLength, "described, but no section has its state", null));
                continue;
            }

            var section = devices[i];
            if (i >= description.Devices.Count || description.Devices[i].Name != section.Header.Name || description.Devices[i].InstanceId != section.Header.InstanceId)
                _problems.Add(new StreamBreak(section.Header.Label, "description", section.Offset, $"the description has {(i < description.Devices.Count ? $"'{description.Devices[i].Name}'" : "nothing")} at this place", null));
            else if (section.Proof == SectionProof.Described && DeviceDecoder.Decode(_file, section).Break is { } broken)
                _problems.Add(broken);
        }
    }

    private void Problem(in StreamElement element, string field, string reason) =>
        _problems.Add(new StreamBreak(SectionHeader.RamName, field, element.Offset, reason, null));
}
