using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Linux;
using Godwit.Monitor;

namespace Godwit.Testing;

/// <summary>A guest on its way from machine to machine, each in a process of its own, and all that it has ever said.</summary>
public sealed class LiveGuest : IAsyncDisposable
{
    private static readonly TimeSpan MovePatience = TimeSpan.FromSeconds(120);

    private static readonly string[] Capabilities =
    [
        "xbzrle", "auto-converge", "events", "return-path", "pause-before-switchover", "x-ignore-shared", "validate-uuid", "switchover-ack",
        "multifd", "zero-copy-send", "late-block-activate", "mapped-ram", "postcopy-ram",
    ];

    private const int FileOffset = 0x1234;

    private readonly GuestKind _kind;
    private readonly IReadOnlyList<string> _more;
    private string _past = "";

    private LiveGuest(GuestKind kind, QemuProcess machine, IReadOnlyList<string> more)
    {
        _kind = kind;
        _more = more;
        Machine = machine;
    }

    /// <summary>Where it lives.</summary>
    public QemuProcess Machine { get; private set; }

    /// <summary>A line may begin on one machine and end on the next.</summary>
    public IReadOnlyList<string> Lines => (_past + Machine.SerialText).Split('\n')[..^1];

    public List<GuestBeat> Beats => Lines.Select(_kind.Parse).OfType<GuestBeat>().ToList();

    /// <param name="more">Options that every machine of this guest gets, besides the guest's own.</param>
    public static async Task<LiveGuest> StartAsync(GuestKind kind, string machine, params string[] more) =>
        new(kind, await LaunchAsync(kind, machine, more), more);

    /// <summary>A machine that waits to be told where the guest comes from.</summary>
    public Task<QemuProcess> DestinationAsync(string machine, params IEnumerable<string> options) => LaunchAsync(_kind, machine, [.. _more, .. options, "-incoming", "defer"]);

    /// <summary>Moves it, and requires of both ends what QEMU's have: <c>completed</c>, <c>postmigrate</c>, the run state it came with.</summary>
    public async Task MoveAsync(LiveMove move)
    {
        var destination = await DestinationAsync(move.To, move.Options);
        try
        {
            using var cancel = new CancellationTokenSource(MovePatience);
            if (move.Prepare is { } prepare)
            {
                await prepare(destination, false);
                await prepare(Machine, true);
            }

            await SetCapabilitiesAsync(destination, move.CapabilitiesAt(source: false));
            await SetCapabilitiesAsync(Machine, move.CapabilitiesAt(source: true));
            await destination.Qmp.SetParametersAsync(Parameters(move.Parameters));
            await Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = move.Rounds ? 20L << 20 : 0, ["downtime-limit"] = move.Rounds ? 1 : 2000 });
            await Machine.Qmp.SetParametersAsync(Parameters(move.Parameters));
            var (source, incoming) = Addresses(move.Transport, destination.Folder);
            if (!move.AtRest)
                await IncomingAsync(destination, incoming);
            if (move.Transport == "fdset")
                await GiveAsync(Machine, Path.Combine(destination.Folder, "stream"), write: true);
            await Machine.Qmp.MigrateAsync(source);
            if (move.Rounds)
                await SpeedUpAsync(move.Enough, cancel.Token);
            if (move.CapabilityNames.Contains("pause-before-switchover"))
                await SwitchOverAsync(cancel.Token);
            var info = await Machine.Qmp.WaitForMigrationAsync(cancel.Token);
            Require(info.GetProperty("status").GetString() == "completed", $"the source: {info}; {Machine.Errors}; the destination: {destination.Errors}");
            move.Completed?.Invoke(info);
            Equal("postmigrate", await Machine.Qmp.QueryStatusAsync(), "the source's run state");
            if (move.Transport == "fdset")
                await GiveAsync(destination, Path.Combine(destination.Folder, "stream"), write: false);
            if (move.AtRest)
                await IncomingAsync(destination, incoming);
            if (move.Arriving is { } arriving)
            {
                await WaitForStatusAsync(destination, "postcopy-active", cancel.Token);
                await TakenByAsync(destination);
                await arriving(destination);
                return;
            }

            await WaitForRunStateAsync(destination, move.RunState, cancel.Token);
            info = await destination.Qmp.WaitForMigrationAsync(cancel.Token);
            Equal("completed", info.GetProperty("status").GetString(), "the destination's status");
            await TakenByAsync(destination);
        }
        catch (Exception e)
        {
            var words = $"{move}: {e.Message}; the source: {Machine.Errors}; the destination: {destination.Errors}";
            await destination.DisposeAsync();
            throw new InvalidOperationException(words, e);
        }
    }

    /// <summary>It lives on another machine now; the one that it was on ends.</summary>
    public async Task TakenByAsync(QemuProcess machine)
    {
        _past += Machine.SerialText;
        await Machine.DisposeAsync();
        Machine = machine;
    }

    /// <summary>Waits for so many beats more, and requires that the guest lost nothing ever.</summary>
    public async Task LiveOnAsync(int beats = 3)
    {
        var until = Beats.Count + beats;
        var watch = Stopwatch.StartNew();
        while (Beats.Count < until)
        {
            Require(!Machine.HasExited && watch.Elapsed < _kind.Patience, $"the guest says nothing more: {string.Join(" | ", Lines.TakeLast(4))}; {Machine.Errors}");
            await Task.Delay(20);
        }

        RequireSound();
    }

    /// <summary>Every beat follows the one before, none has errors, and the clock neither went back nor jumped.</summary>
    public void RequireSound()
    {
        var all = Beats;
        for (var i = 0; i < all.Count; i++)
        {
            Equal(0, all[i].Errors, $"the guest's errors at beat {all[i].Number}: {string.Join(" | ", Lines.Where(l => l.Contains("ERROR", StringComparison.Ordinal)))}");
            if (i == 0)
                continue;
            Equal(all[i - 1].Number + 1, all[i].Number, "the next beat");
            Require(all[i].Seconds > all[i - 1].Seconds && all[i].Seconds < all[i - 1].Seconds + _kind.ClockSlack, $"the guest's clock went from {all[i - 1].Seconds} to {all[i].Seconds}");
        }
    }

    /// <summary>Has the destination listen, or read.</summary>
    public static Task IncomingAsync(QemuProcess destination, string uri) => destination.Qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = uri });

    public static async Task WaitForRunStateAsync(QemuProcess machine, string state, CancellationToken cancellation)
    {
        while (await machine.Qmp.QueryStatusAsync(cancellation) is var now && now != state)
        {
            Require(!cancellation.IsCancellationRequested, $"the run state stays {now}");
            await Task.Delay(20, cancellation);
        }
    }

    /// <summary>Waits until a machine's process is over.</summary>
    public static async Task WaitForEndAsync(QemuProcess machine, CancellationToken cancellation)
    {
        while (!machine.HasExited)
            await Task.Delay(10, cancellation);
    }

    /// <summary>Waits until a machine has said something on standard error.</summary>
    public static async Task WaitForErrorAsync(QemuProcess machine, string words, CancellationToken cancellation)
    {
        while (!machine.Errors.Contains(words, StringComparison.Ordinal))
        {
            Require(!cancellation.IsCancellationRequested, $"'{words}' isn't said: {machine.Errors}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Waits for a status on the way.</summary>
    public static async Task<JsonElement> WaitForStatusAsync(QemuProcess machine, string status, CancellationToken cancellation)
    {
        while (true)
        {
            var info = await machine.Qmp.QueryMigrateAsync(cancellation);
            var now = info.TryGetProperty("status", out var element) ? element.GetString() : "";
            if (now == status)
                return info;
            Require(now is not ("failed" or "completed" or "cancelled"), $"waiting for {status}: {info}");
            await Task.Delay(10, cancellation);
        }
    }

    /// <summary>Gives a machine the file in set 5, opened with the page cache and past it.</summary>
    private static async Task GiveAsync(QemuProcess machine, string path, bool write)
    {
        using var plain = File.OpenHandle(path, write ? FileMode.OpenOrCreate : FileMode.Open, write ? FileAccess.Write : FileAccess.Read, FileShare.ReadWrite);
        using var direct = DirectFile.Open(path, write);
        foreach (var file in new[] { plain, direct })
            await machine.Qmp.ExecuteAsync("add-fd", new JsonObject { ["fdset-id"] = 5 }, file);
    }

    public static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    public ValueTask DisposeAsync() => Machine.DisposeAsync();

    /// <summary>These and no others: a machine that the guest came to still has those of that move, and a return path over <c>exec</c> would
    /// keep QEMU waiting for ever.</summary>
    private static Task SetCapabilitiesAsync(QemuProcess machine, string[] on)
    {
        var list = new JsonArray();
        foreach (var name in Capabilities)
            list.Add((JsonNode)new JsonObject { ["capability"] = name, ["state"] = on.Contains(name) });
        return machine.Qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = list });
    }

    /// <summary>What multifd takes is said anew for each move: a machine that the guest came to still has that move's.</summary>
    private static JsonObject Parameters(string text)
    {
        var all = new JsonObject { ["multifd-channels"] = 2, ["multifd-compression"] = "none", ["zero-page-detection"] = "multifd", ["direct-io"] = false };
        foreach (var words in text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)))
            all[words[0]] = long.TryParse(words[1], CultureInfo.InvariantCulture, out var number) ? number : bool.TryParse(words[1], out var on) ? on : words[1];
        return all;
    }

    private static Task<QemuProcess> LaunchAsync(GuestKind kind, string machine, IReadOnlyList<string> more)
    {
        var command = MachineCommand.Live(machine);
        string[] options = [.. command.Arguments, .. kind.Options];
        // A later option replaces an earlier one.
        return QemuProcess.StartAsync(command.Program, [.. options, .. more]);
    }

    private static (string Source, string Destination) Addresses(string transport, string folder)
    {
        switch (transport)
        {
            case "tcp":
                var port = FreePort();
                return ($"tcp:127.0.0.1:{port}", $"tcp:127.0.0.1:{port}");
            case "file-offset":
                return ($"file:{folder}/stream,offset={FileOffset}", $"file:{folder}/stream,offset={FileOffset}");
            case "fdset":
                return ("file:/dev/fdset/5", "file:/dev/fdset/5");
            case "exec":
                return ($"exec:cat >{folder}/stream", $"exec:cat {folder}/stream");
            default:
                return ($"{transport}:{folder}/stream", $"{transport}:{folder}/stream");
        }
    }

    private async Task SpeedUpAsync(Func<JsonElement, bool> enough, CancellationToken cancellation)
    {
        while (true)
        {
            var info = await Machine.Qmp.QueryMigrateAsync(cancellation);
            if (enough(info))
                break;
            Require(info.GetProperty("status").GetString() is "setup" or "active", $"on the way: {info}");
            await Task.Delay(10, cancellation);
        }

        await Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 }, cancellation);
    }

    private async Task SwitchOverAsync(CancellationToken cancellation)
    {
        await WaitForStatusAsync(Machine, "pre-switchover", cancellation);
        Require(await Machine.Qmp.QueryStatusAsync(cancellation) is not "running", "the guest runs before the switchover");
        await Machine.Qmp.ExecuteAsync("migrate-continue", new JsonObject { ["state"] = "pre-switchover" }, cancellation);
    }

    private static void Equal<T>(T expected, T found, string what) => Require(EqualityComparer<T>.Default.Equals(expected, found), $"{what}: {found}, not {expected}");

    private static void Require(bool condition, string words)
    {
        if (!condition)
            throw new InvalidOperationException(words);
    }
}
