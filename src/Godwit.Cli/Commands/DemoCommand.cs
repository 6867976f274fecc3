using System.CommandLine;
using System.Diagnostics;
using Godwit.Cli.Demo;
using Godwit.Cli.Migrate;
using Godwit.Cli.Output;
using Godwit.Monitor;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit demo</c>: a guest leaves one machine and goes on in another, both of ours, each in a process of its own.</summary>
internal static class DemoCommand
{
    private const int BeatsBefore = 5;
    private const int LinesShown = 3;
    private static readonly TimeSpan GuestPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    private static readonly string[] Machine =
    [
        "run", "-M", "virt", "-bios", "none", "-m", "512M", "-nodefaults", "-display", "none", "-serial", "file:{folder}/serial",
        "-kernel", Heartbeat.GuestPath, "-append", "pages=32k rate=25k pattern=counter beat=100 fill=random:128M",
    ];

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("demo", "Move a running guest live from one machine to another, and let it prove that it lost nothing.") { json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(bool json)
    {
        using var cancel = Terminal.CancelOnSignal();
        try
        {
            return await MoveAsync(json, cancel.Token);
        }
        catch (IOException) when (cancel.IsCancellationRequested)
        {
            // Ctrl-C is for the machines, too: they may have been first.
            throw new OperationCanceledException(cancel.Token);
        }
    }

    private static async Task<int> MoveAsync(bool json, CancellationToken cancellation)
    {
        var took = Stopwatch.StartNew();
        var program = Path.Combine(AppContext.BaseDirectory, "godwit");
        Say(json, "1. a machine starts its guest: 256 MiB that it knows, 100 MB of them rewritten each second, all of them checked");
        await using var source = await QemuProcess.StartAsync(program, Machine, cancellation);
        var before = await WaitAsync(source, null, g => g.Before.Count() >= BeatsBefore, cancellation);
        Show(json, before.Lines.TakeLast(LinesShown));

        Say(json, "2. it moves into a second machine, live");
        await using var destination = await QemuProcess.StartAsync(program, [.. Machine, "-incoming", "unix:{folder}/in"], cancellation);
        var request = new MigrateRequest($"unix:{destination.Folder}/in", [new("return-path", true)], [new("max-bandwidth", "0")], Continue: true);
        var drive = new MigrationDrive(source.Qmp, new MigrateDisplay());
        await drive.ConfigureAsync(request, cancellation);
        var migration = await drive.RunAsync(request, cancellation);
        if (migration.Status != "completed")
        {
            cancellation.ThrowIfCancellationRequested();
            throw new IOException($"the migration {migration.Status}: {migration.Error}; {destination.Errors}");
        }

        Show(json, MovedGuest.Read(source, null).Lines.TakeLast(1));

        Say(json, "3. there it goes on, and compares all of its memory");
        var guest = await WaitAsync(source, destination, HasComparedAll, cancellation);
        Show(json, guest.Lines.Skip(guest.FirstAfter).Take(LinesShown));
        var summary = new DemoSummary(migration, guest, took.Elapsed, guest.Problem());
        if (json)
            summary.PrintJson();
        else
            summary.Print();
        if (summary.Problem is null)
            return ExitCode.Done;
        Terminal.Error(summary.Problem);
        return ExitCode.Failed;
    }

    /// <summary>The pass that the move came into doesn't count.</summary>
    private static bool HasComparedAll(MovedGuest guest)
    {
        var after = guest.After.ToList();
        return after.Count >= LinesShown && after[^1].Passes >= after[0].Passes + 2 && after[^1].FillPasses >= after[0].FillPasses + 2;
    }

    private static async Task<MovedGuest> WaitAsync(QemuProcess source, QemuProcess? destination, Func<MovedGuest, bool> enough, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var guest = MovedGuest.Read(source, destination);
            if (enough(guest))
                return guest;
            var home = destination ?? source;
            if (home.HasExited || watch.Elapsed > GuestPatience)
                throw new IOException($"the guest says too little; its last line: {(guest.Lines is [.., var last] ? last : "none")}; the machine: {home.Errors}");
            await Task.Delay(LookInterval, cancellation);
        }
    }

    /// <summary>For people; where the result is JSON, not among it.</summary>
    private static void Say(bool json, string text) => (json ? Console.Error : Console.Out).WriteLine(text);

    private static void Show(bool json, IEnumerable<string> lines)
    {
        foreach (var line in lines)
            Say(json, $"   guest> {Terminal.Plain(line)}");
    }
}
