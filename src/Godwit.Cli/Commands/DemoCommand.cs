using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Archive;
using Godwit.Archive.Receive;
using Godwit.Archive.Send;
using Godwit.Cli.Demo;
using Godwit.Cli.Output;
using Godwit.Migration.Channels;
using Godwit.Monitor;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit demo</c>: a real guest leaves one QEMU, rests in a file, and goes on in another.</summary>
internal static class DemoCommand
{
    private const string DefaultQemu = "qemu-system-riscv64";
    private static readonly TimeSpan GuestPatience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var qemu = new Option<string>("--qemu") { Description = "The QEMU for RISC-V to move the guest between", DefaultValueFactory = _ => DefaultQemu };
        var command = new Command("demo", "Move a running guest from one QEMU through a file into another, and let it prove that it lost nothing.") { qemu };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(qemu)));
        return command;
    }

    private static async Task<int> RunAsync(string qemu)
    {
        using var cancel = Terminal.CancelOnSignal();
        var folder = Directory.CreateTempSubdirectory("godwit-demo-");
        try
        {
            return await MoveAsync(qemu, folder.FullName, cancel.Token);
        }
        catch (IOException e) when (e.InnerException is System.ComponentModel.Win32Exception)
        {
            throw new IOException($"{qemu} can't be started; install it (apt-get install qemu-system-riscv, or eng/install-qemu) or name another with --qemu", e);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MoveAsync(string qemu, string folder, CancellationToken cancellation)
    {
        string[] machine =
        [
            "-M", "virt", "-bios", "none", "-m", "768M", "-nodefaults", "-display", "none", "-serial", "file:{folder}/serial",
            "-kernel", Heartbeat.GuestPath, "-append", "pages=2k rate=4000 pattern=random beat=200 fill=random:512M",
        ];
        var stream = Path.Combine(folder, "guest.stream");
        var total = Stopwatch.StartNew();

        Say("1", $"{qemu} starts the guest: 512 MiB of random data, and 4000 pages a second rewritten and checked");
        await using var source = await QemuProcess.StartAsync(qemu, machine, cancellation);
        await source.WaitForLineAsync(l => Heartbeat.Parse(l) is { Beat: >= 5 }, GuestPatience, cancellation);
        Show(source.SerialLines.TakeLast(3));

        Say("2", "live migration into a file, while the guest runs");
        var (received, info) = await ReceiveAsync(source, stream, folder, cancellation);
        var before = Heartbeat.Last(source.SerialLines)!;
        Show([before.Line]);
        await source.DisposeAsync();

        Say("3", "the file into a second, empty QEMU");
        await using var destination = await QemuProcess.StartAsync(qemu, [.. machine, "-incoming", "unix:{folder}/in"], cancellation);
        var sent = Send(stream, new MigrationUri(MigrationScheme.Unix, Path: Path.Combine(destination.Folder, "in")), cancellation);
        await destination.WaitForLineAsync(l => Heartbeat.Parse(l) is { } b && b.Beat >= before.Beat + 5, GuestPatience, cancellation);
        var after = destination.SerialLines.Select(Heartbeat.Parse).OfType<Heartbeat>().ToList();
        Show(after.Take(3).Select(b => b.Line));

        var problem = Judge(before, after);
        Summary(received, sent, info, before, after, total.Elapsed, problem).Print(Console.Out, Terminal.OutputIsTerminal);
        if (problem is null)
            return ExitCode.Done;
        Terminal.Error(problem);
        return ExitCode.Failed;
    }

    private static async Task<(ReceiveSummary Summary, JsonElement Info)> ReceiveAsync(QemuProcess source, string stream, string folder, CancellationToken cancellation)
    {
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: Path.Combine(folder, "migration")));
        await source.Qmp.SetCapabilitiesAsync(["return-path"], cancellation);
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0 }, cancellation);
        await source.Qmp.MigrateAsync(listener.Address.ToString(), cancellation);
        using var channel = listener.Accept(cancellation);
        var progress = new ReceiveProgress();
        var summary = ProgressBar.Run(
            "receive",
            () => Receiver.Receive(channel, stream, new ReceiveOptions(), progress, cancellation),
            () => (progress.Pages, progress.TotalPages, Units.Bytes(progress.Bytes)));
        return (summary, await source.Qmp.WaitForMigrationAsync(cancellation));
    }

    private static SendSummary Send(string stream, MigrationUri uri, CancellationToken cancellation)
    {
        using var file = StreamFile.Open(stream);
        using var channel = ChannelConnector.Connect(uri, returnPath: true);
        var sent = 0L;
        return ProgressBar.Run(
            "send   ",
            () => Sender.Send(file, channel, returnPath: true, bytes => Volatile.Write(ref sent, bytes), cancellation),
            () => (Volatile.Read(ref sent), file.Length, Units.Bytes(Volatile.Read(ref sent))));
    }

    /// <returns>What shows that the guest did not simply go on; null where it did.</returns>
    private static string? Judge(Heartbeat before, List<Heartbeat> after)
    {
        if (after[0].Beat != before.Beat + 1)
            return $"after beat {before.Beat} came beat {after[0].Beat}";
        if (after[^1].Errors > 0)
            return $"the guest found {after[^1].Errors} errors in its memory";
        return after[0].Time <= before.Time ? "the guest's clock went back" : null;
    }

    private static TextTable Summary(ReceiveSummary received, SendSummary sent, JsonElement info, Heartbeat before, List<Heartbeat> after, TimeSpan total, string? problem)
    {
        var table = new TextTable(problem is null ? "the guest went on without a lost byte" : "the guest did NOT go on", "", ">");
        table.Row("machine", received.MachineName);
        table.Row("received over the socket", $"{Units.Bytes(received.BytesReceived)} in {Units.Time(received.Elapsed)}");
        table.Row("pages sent again while it ran", Units.Count(received.RewrittenPages));
        table.Row("file, each page once", Units.Bytes(received.FileLength));
        table.Row("downtime, as the source reports it", info.TryGetProperty("downtime", out var downtime) ? $"{downtime.GetInt64()} ms" : "-");
        table.Row("sent into the second QEMU", $"{Units.Bytes(sent.BytesSent)} in {Units.Time(sent.Elapsed)}");
        table.Row("last beat before, first after", $"{before.Beat}, {after[0].Beat}");
        table.Row("guest time between them", Units.Time(TimeSpan.FromTicks(after[0].Time - before.Time)));
        table.Row("pages checked by the guest since", Units.Count(after[^1].Checks - before.Checks));
        table.Row("errors it found", $"{after[^1].Errors}");
        table.Row("demo took", Units.Time(total));
        return table;
    }

    private static void Say(string step, string text)
    {
        Console.Out.WriteLine($"{step}. {text}");
        Console.Out.Flush();
    }

    private static void Show(IEnumerable<string> lines)
    {
        foreach (var line in lines)
            Console.Out.WriteLine($"   guest> {line}");
    }
}
