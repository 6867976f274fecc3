using Godwit.Archive.Analyze;
using Godwit.Wire.Stream;

namespace Godwit.Cli.Output;

/// <summary>A stream report as tables.</summary>
internal static class ReportTables
{
    public static void Print(string path, StreamReport report)
    {
        var terminal = Terminal.OutputIsTerminal;
        Configuration(path, report).Print(Console.Out, terminal);
        if (report.Blocks.Count > 0)
            Blocks(report).Print(Console.Out, terminal);
        if (report.Sections.Count > 0)
            Sections(report).Print(Console.Out, terminal);
    }

    private static TextTable Configuration(string path, StreamReport report)
    {
        var table = new TextTable($"{path} ({Units.Bytes(report.FileLength)})", "", "");
        var configuration = report.Configuration;
        table.Row("machine", configuration?.MachineName ?? "not in the stream");
        table.Row("page size", $"{report.PageSize}{(configuration?.TargetPageBits is null ? "" : " (target-page-bits)")}");
        if (configuration?.Capabilities is { } capabilities)
            table.Row("capabilities", string.Join(", ", capabilities));
        if (configuration?.Uuid is { } uuid)
            table.Row("uuid", uuid.ToString());
        table.Row("footers", report.HasFooters switch { true => "yes", false => "no", _ => "unknown" });
        table.Row("description", report.Description is null ? "none" : $"{Units.Bytes(report.DescriptionLength)}, {report.Description.Devices.Count} devices");
        foreach (var command in report.Commands)
            table.Row("command", $"{command.Name} at {command.Offset}");
        return table;
    }

    private static TextTable Blocks(StreamReport report)
    {
        var table = new TextTable("RAM blocks", "block", ">length", ">pages", ">stored", ">zero", ">missing", ">wire bytes");
        foreach (var block in report.Blocks)
        {
            table.Row(
                block.Block.Name,
                Units.Bytes(block.Block.Length),
                Units.Count(block.Pages),
                Units.Count(block.Stored),
                Units.Count(block.Zero),
                Units.Count(block.Missing),
                Units.Count(block.WireBytes));
        }

        return table;
    }

    private static TextTable Sections(StreamReport report)
    {
        var table = new TextTable("sections", "section", ">inst", ">ver", ">offset", ">size", "end known by");
        foreach (var section in report.Sections)
        {
            table.Row(
                section.Header.Name,
                $"{section.Header.InstanceId}",
                $"{section.Header.VersionId}",
                $"{section.Offset}",
                $"{section.Length}",
                End(section));
        }

        return table;
    }

    private static string End(SectionReport section)
    {
        var proof = section.Proof switch
        {
            SectionProof.Format => "format",
            SectionProof.Described => "description",
            _ => "footer",
        };
        return !section.IsComplete ? "broken off" : section.Header.Type == SectionType.Full ? proof : $"{proof}, {section.Parts} part{(section.Parts == 1 ? "" : "s")}";
    }
}
