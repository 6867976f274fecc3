using System.CommandLine;
using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Cli.Output;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit verify FILE</c></summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A stream file or a mapped-ram file" };
        var offset = Numbers.OffsetOption();
        var pageSize = Uris.PageSizeOption();
        var json = new Option<bool>("--json") { Description = "Print the verdict as JSON" };
        var command = new Command("verify", "Check a stream file: structure, footers, section ids, block bounds, description against sections, trailing bytes.") { file, offset, pageSize, json };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetValue(offset), parsed.GetValue(pageSize), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string path, long offset, int? pageSize, bool json)
    {
        using var file = StreamFile.Open(path, offset);
        var verdict = StreamVerifier.Verify(file, pageSize);
        if (json)
        {
            JsonOutput.Print(writer =>
            {
                writer.WriteBoolean("valid", verdict.Problems.Count == 0);
                writer.WriteStartArray("problems");
                foreach (var problem in verdict.Problems)
                {
                    writer.WriteStartObject();
                    ReportJson.WriteBreak(writer, problem);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteStartArray("notes");
                foreach (var note in verdict.Notes)
                    writer.WriteStringValue(note);
                writer.WriteEndArray();
            });
        }
        else
        {
            Print(path, verdict);
        }

        return verdict.Problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Print(string path, StreamVerdict verdict)
    {
        foreach (var problem in verdict.Problems)
            Console.Out.WriteLine($"problem {problem}");
        foreach (var note in verdict.Notes)
            Console.Out.WriteLine($"note    {note}");
        var report = verdict.Report;
        var devices = report.Sections.Count(s => s.Header.Type == Wire.Stream.SectionType.Full);
        var described = report.Sections.Count(s => s.Proof == SectionProof.Described);
        var pages = report.Blocks.Sum(b => b.Stored + b.Zero);
        Console.Out.WriteLine(verdict.Problems.Count == 0
            ? $"{path}: valid: {report.Blocks.Count} RAM blocks, {Units.Count(pages)} pages, {devices} devices, {described} of them proven by the description"
            : $"{path}: {verdict.Problems.Count} problem{(verdict.Problems.Count == 1 ? "" : "s")}");
    }
}
