using System.CommandLine;
using System.Text.Json;
using Godwit.Archive;
using Godwit.Archive.Receive;
using Godwit.Cli.Output;
using Godwit.Migration.Channels;
using Godwit.Migration.Destination;
using Godwit.Wire;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit receive URI -o FILE</c></summary>
internal static class ReceiveCommand
{
    public static Command Create()
    {
        var uri = Uris.Argument("Where the source migrates to");
        var output = new Option<string>("--output", "-o") { Description = "The file that the migration ends in", Required = true };
        var format = Formats.Option("--format", required: false, "stream: a file that is a migration stream; mapped-ram: one with a place for each page, which QEMU loads with that capability on");
        var ack = new Option<SwitchoverAckMode>("--switchover-ack") { Description = "Tell the source that it may switch over: when it seems to wait for that (auto), always (on), never (off)" };
        var sync = new Option<bool>("--sync") { Description = "Let go of the source only when the file is on the disk" };
        var channels = Numbers.Option("--multifd-channels", 1, 255, "How many multifd channels the source must have; without it, as many as it has");
        var pageSize = Uris.PageSizeOption();
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("receive", "End a live migration from any QEMU in a file that is itself a migration stream, or a mapped-ram file.")
        {
            uri, output, format, channels, ack, sync, pageSize, json,
        };
        var tls = TlsOptions.Server();
        tls.AddTo(command);
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(uri),
            parsed.GetRequiredValue(output),
            cancellation => new ReceiveOptions
            {
                Format = parsed.GetValue(format),
                SwitchoverAck = parsed.GetValue(ack),
                Sync = parsed.GetValue(sync),
                PageSize = parsed.GetValue(pageSize),
                MultifdChannels = parsed.GetValue(channels),
                Upgrade = tls.Incoming(parsed, cancellation),
            },
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(MigrationUri uri, string output, Func<CancellationToken, ReceiveOptions> make, bool json)
    {
        using var cancel = Terminal.CancelOnSignal();
        var options = make(cancel.Token);
        using var listener = ChannelListener.Listen(uri);
        if (listener.Waits)
            Terminal.Note($"waiting for a migration on {listener.Address}");

        var progress = new ReceiveProgress();
        ReceiveSummary summary;
        try
        {
            summary = ProgressBar.Run(
                "receive",
                () => Receiver.Receive(listener, output, options, progress, cancel.Token),
                () => (progress.Pages, progress.TotalPages, Units.Bytes(progress.Bytes)));
        }
        catch (MigrationStreamException e) when (e.Unsupported is not null)
        {
            Terminal.Error(e.Message);
            Terminal.Error(e.Unsupported.Contains('=', StringComparison.Ordinal)
                ? "set that parameter to another value at the source (migrate-set-parameters) and migrate again"
                : $"switch capability {e.Unsupported} off at the source (migrate-set-capabilities) and migrate again");
            return ExitCode.Failed;
        }

        if (json)
            PrintJson(summary, output, options.Format);
        else
            Print(summary, output);
        return ExitCode.Done;
    }

    private static void Print(ReceiveSummary summary, string output)
    {
        var table = new TextTable($"received into {output}", "", ">");
        table.Row("machine", summary.MachineName);
        table.Row("received", Units.Bytes(summary.BytesReceived));
        if (summary.MultifdChannels > 0)
            table.Row("multifd channels", Units.Count(summary.MultifdChannels));
        table.Row("file", Units.Bytes(summary.FileLength));
        table.Row("pages stored", Units.Count(summary.StoredPages));
        table.Row("pages zero", Units.Count(summary.ZeroPages));
        table.Row("pages sent again", Units.Count(summary.RewrittenPages));
        table.Row("end proven by", summary.Proof switch
        {
            EndProof.Description => "the description",
            EndProof.Footers => "the sections' footers only",
            _ => "nothing: the source closed",
        });
        table.Row("source told", summary.ReturnPath ? "yes" : "no return path");
        table.Row("time", Units.Time(summary.Elapsed));
        table.Row("throughput", Units.Rate(summary.BytesReceived, summary.Elapsed));
        table.Print(Console.Out, Terminal.OutputIsTerminal);
    }

    private static void PrintJson(ReceiveSummary summary, string output, StreamFormat format) => JsonOutput.Print(writer =>
    {
        writer.WriteString("file", output);
        writer.WriteString("format", Formats.Name(format));
        writer.WriteString("machine", summary.MachineName);
        writer.WriteNumber("bytes-received", summary.BytesReceived);
        writer.WriteNumber("multifd-channels", summary.MultifdChannels);
        writer.WriteNumber("file-length", summary.FileLength);
        writer.WriteNumber("page-size", summary.PageSize);
        writer.WriteNumber("pages-stored", summary.StoredPages);
        writer.WriteNumber("pages-zero", summary.ZeroPages);
        writer.WriteNumber("pages-rewritten", summary.RewrittenPages);
        writer.WriteString("end-proof", JsonNamingPolicy.KebabCaseLower.ConvertName(summary.Proof.ToString()));
        writer.WriteBoolean("return-path", summary.ReturnPath);
        writer.WriteNumber("seconds", Math.Round(summary.Elapsed.TotalSeconds, 3));
    });
}
