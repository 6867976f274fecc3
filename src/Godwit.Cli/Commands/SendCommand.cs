using System.CommandLine;
using Godwit.Archive;
using Godwit.Archive.Send;
using Godwit.Cli.Output;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit send FILE URI</c></summary>
internal static class SendCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A stream file or a mapped-ram file: received by godwit, or written by QEMU's migrate file:" };
        var uri = Uris.Argument("The destination, which waits with -incoming");
        var returnPath = new Option<bool>("--return-path") { Description = "Let the destination answer, and wait until it says that it has the guest" };
        var channels = Numbers.Option("--multifd-channels", 1, 255, "Send pages over so many channels: the destination has capability multifd on, and the same multifd-channels");
        var compression = new Option<MultifdCompression>("--multifd-compression") { Description = "As multifd-compression of the destination: none, zlib or zstd", HelpName = "none|zlib|zstd" };
        var zlib = Numbers.Option("--multifd-zlib-level", 0, 9, "How hard zlib compresses; 1 without it");
        var zstd = Numbers.Option("--multifd-zstd-level", 0, 20, "How hard zstd compresses; 1 without it");
        var zeros = new Option<ZeroPageDetection>("--zero-page-detection")
        {
            Description = "Send zero pages over the multifd channels, or over the main one, which a destination before QEMU 9.0 wants (legacy)",
            HelpName = "multifd|legacy",
            DefaultValueFactory = static _ => ZeroPageDetection.Multifd,
        };
        zeros.AcceptOnlyFromAmong("multifd", "legacy");
        var sections = new Option<bool>("--multifd-flush-after-each-section") { Description = "For a destination whose machine type is of QEMU 8.0 or older" };
        var offset = Numbers.OffsetOption();
        var pageSize = Uris.PageSizeOption();
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("send", "Play a stream file or a mapped-ram file into a destination that waits for a migration.")
        {
            file, uri, returnPath, channels, compression, zlib, zstd, zeros, sections, offset, pageSize, json,
        };
        var tls = TlsOptions.Client();
        tls.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(channels) is null && (result.GetValue(compression) != MultifdCompression.None || result.GetValue(zeros) == ZeroPageDetection.Legacy || result.GetValue(sections)))
                result.AddError("--multifd-channels says how many channels there are; without it pages go over the main one");
        });
        command.SetAction(parsed =>
        {
            var to = parsed.GetRequiredValue(uri);
            var options = new SendOptions
            {
                ReturnPath = parsed.GetValue(returnPath),
                Multifd = parsed.GetValue(channels) is not { } count ? null : new Parameters
                {
                    MultifdChannels = count,
                    MultifdCompression = parsed.GetValue(compression),
                    MultifdZlibLevel = parsed.GetValue(zlib) ?? 1,
                    MultifdZstdLevel = parsed.GetValue(zstd) ?? 1,
                    ZeroPageDetection = parsed.GetValue(zeros),
                    MultifdFlushAfterEachSection = parsed.GetValue(sections),
                },
                PageSize = parsed.GetValue(pageSize),
            };
            return Run(
                parsed.GetRequiredValue(file),
                parsed.GetValue(offset),
                to,
                options,
                parsed.GetValue(json),
                (answered, cancellation) => tls.Outgoing(parsed, both => ChannelConnector.Connect(to, answered || both), to, cancellation));
        });
        return command;
    }

    private static int Run(string path, long offset, MigrationUri uri, SendOptions options, bool json, Func<bool, CancellationToken, Channel> connect)
    {
        if (options.Multifd is not null && uri.Scheme is not (MigrationScheme.Tcp or MigrationScheme.Unix))
            throw new NotSupportedException("Migration requires multi-channel URIs (e.g. tcp)");
        using var cancel = Terminal.CancelOnSignal();
        using var file = StreamFile.Open(path, offset);
        using var channel = connect(options.ReturnPath, cancel.Token);
        var played = 0L;
        var summary = ProgressBar.Run(
            "send",
            () => Sender.Send(file, channel, () => connect(false, cancel.Token), options, bytes => Volatile.Write(ref played, bytes), cancel.Token),
            () => (Volatile.Read(ref played), file.Length, Units.Bytes(Volatile.Read(ref played))));
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
