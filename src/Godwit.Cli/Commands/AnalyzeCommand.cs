using System.CommandLine;
using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Cli.Output;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit analyze FILE [--device NAME]</c></summary>
internal static class AnalyzeCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A stream file or a mapped-ram file" };
        var device = new Option<string?>("--device") { Description = "Show the fields of one device, by its section name, as NAME or NAME/INSTANCE" };
        var offset = Numbers.OffsetOption();
        var pageSize = Uris.PageSizeOption();
        var json = new Option<bool>("--json") { Description = "Print everything as JSON, every device's fields included" };
        var command = new Command("analyze", "Show what a stream file holds; of a broken one, everything up to the break.") { file, device, offset, pageSize, json };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetValue(device), parsed.GetValue(offset), parsed.GetValue(pageSize), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string path, string? device, long offset, int? pageSize, bool json)
    {
        using var file = StreamFile.Open(path, offset);
        var report = StreamAnalyzer.Analyze(file, pageSize);
        var chosen = device is null ? report.Sections : Choose(report, device);
        if (chosen.Count == 0 && device is not null && report.Break is null)
        {
            Terminal.Error($"no section is named '{device}'; 'godwit analyze {path}' lists them");
            return ExitCode.Failed;
        }

        if (json)
            ReportJson.Print(file, report, chosen);
        else if (device is null)
            ReportTables.Print(path, report);
        else
            FieldTree.Print(file, chosen);
        return Conclude(report, json);
    }

    private static int Conclude(StreamReport report, bool json)
    {
        if (report.Break is null)
            return ExitCode.Done;
        if (!json)
            Terminal.Error($"the stream breaks {report.Break}");
        return ExitCode.Failed;
    }

    private static List<SectionReport> Choose(StreamReport report, string device)
    {
        var exact = report.Sections.Where(s => s.Header.Label == device).ToList();
        return exact.Count > 0 && device.EndsWith($"/{exact[0].Header.InstanceId}", StringComparison.Ordinal)
            ? exact
            : report.Sections.Where(s => s.Header.Name == device).ToList();
    }
}
