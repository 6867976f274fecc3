using System.CommandLine;
using Godwit.Archive;
using Godwit.Archive.Send;
using Godwit.Cli.Output;
using Godwit.Migration.Channels;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit send FILE URI</c></summary>
internal static class SendCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A stream file: received by godwit, or written by QEMU's migrate file:" };
        var uri = Uris.Argument("The destination, which waits with -incoming");
        var returnPath = new Option<bool>("--return-path") { Description = "Let the destination answer, and wait until it says that it has the guest" };
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("send", "Play a stream file into a destination that waits for a migration.") { file, uri, returnPath, json };
        var tls = TlsOptions.Client();
        tls.AddTo(command);
        command.SetAction(parsed =>
        {
            var (to, answered) = (parsed.GetRequiredValue(uri), parsed.GetValue(returnPath));
            return Run(parsed.GetRequiredValue(file), to, answered, parsed.GetValue(json), cancellation => tls.Outgoing(parsed, both => ChannelConnector.Connect(to, answered || both), to, cancellation));
        });
        return command;
    }

    private static int Run(string path, MigrationUri uri, bool returnPath, bool json, Func<CancellationToken, Channel> connect)
    {
        using var cancel = Terminal.CancelOnSignal();
        using var file = StreamFile.Open(path);
        using var channel = connect(cancel.Token);
        var sent = 0L;
        var summary = ProgressBar.Run(
            "send",
            () => Sender.Send(file, channel, returnPath, bytes => Volatile.Write(ref sent, bytes), cancel.Token),
            () => (Volatile.Read(ref sent), file.Length, Units.Bytes(Volatile.Read(ref sent))));
        if (json)
        {
            JsonOutput.Print(writer =>
            {
                writer.WriteNumber("bytes-sent", summary.BytesSent);
                writer.WriteBoolean("confirmed", summary.Confirmed);
                writer.WriteNumber("seconds", Math.Round(summary.Elapsed.TotalSeconds, 3));
            });
            return ExitCode.Done;
        }

        var table = new TextTable($"sent {path} to {uri}", "", ">");
        table.Row("sent", Units.Bytes(summary.BytesSent));
        table.Row("confirmed", summary.Confirmed ? "the destination has the guest" : "no return path: ask the destination (query-status)");
        table.Row("time", Units.Time(summary.Elapsed));
        table.Row("throughput", Units.Rate(summary.BytesSent, summary.Elapsed));
        table.Print(Console.Out, Terminal.OutputIsTerminal);
        return ExitCode.Done;
    }
}
