using System.CommandLine;
using Godwit.Archive;
using Godwit.Archive.Convert;
using Godwit.Archive.Receive;
using Godwit.Cli.Output;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit convert IN OUT --to stream|mapped-ram</c></summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("IN") { Description = "A stream file or a mapped-ram file, of any machine" };
        var output = new Argument<string>("OUT") { Description = "The file to be made; one that is there is replaced when the new one is whole" };
        var to = Formats.Option("--to", required: true, "stream: a file that QEMU loads as any other stream, and that can be sent; mapped-ram: one with a place for each page, which QEMU loads with that capability on");
        var offset = Numbers.OffsetOption();
        var pageSize = Uris.PageSizeOption();
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("convert", "Make a mapped-ram file out of a stream file, or the other way round; a stream becomes one that has each page once.") { input, output, to, offset, pageSize, json };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetValue(to), parsed.GetValue(offset), parsed.GetValue(pageSize), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string input, string output, StreamFormat to, long offset, int? pageSize, bool json)
    {
        using var cancel = Terminal.CancelOnSignal();
        var progress = new ReceiveProgress();
        var length = File.Exists(input) ? new FileInfo(input).Length : 0;
        var summary = ProgressBar.Run(
            "convert",
            () => Converter.Convert(input, offset, output, to, pageSize, progress, cancel.Token),
            () => (progress.Bytes, length, Units.Bytes(progress.Bytes)));
        if (json)
        {
            JsonOutput.Print(writer =>
            {
                writer.WriteString("file", output);
                writer.WriteString("machine", summary.MachineName);
                writer.WriteString("from", Formats.Name(summary.From));
                writer.WriteString("to", Formats.Name(summary.To));
                writer.WriteNumber("file-length", summary.FileLength);
                writer.WriteNumber("seconds", Math.Round(summary.Elapsed.TotalSeconds, 3));
            });
            return ExitCode.Done;
        }

        var table = new TextTable($"converted {input} into {output}", "", ">");
        table.Row("machine", summary.MachineName);
        table.Row("from", Formats.Name(summary.From));
        table.Row("to", Formats.Name(summary.To));
        table.Row("file", Units.Bytes(summary.FileLength));
        table.Row("time", Units.Time(summary.Elapsed));
        table.Print(Console.Out, Terminal.OutputIsTerminal);
        return ExitCode.Done;
    }
}
