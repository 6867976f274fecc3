using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary>
/// A guest that rewrites its memory at a steady rate moves live over loopback: how long it stands, as the source reports it and as the
/// guest itself sees it by the board's calendar clock. Each move is into a process that has just started.
/// </summary>
internal static class DowntimeBench
{
    private static readonly int[] Rates = [50, 200, 500];
    private static readonly int[] Limits = [300, 50];
    private static readonly string[][] Ways = [["qemu", "qemu"], ["godwit", "godwit"], ["qemu", "godwit"]];
    private static readonly TimeSpan ConvergencePatience = TimeSpan.FromSeconds(20);

    /// <param name="size">The memory that the guest rewrites, in bytes.</param>
    public static async Task RunAsync(int rounds, long size)
    {
        foreach (var rate in Rates)
        {
            foreach (var limit in Limits)
            {
                var moves = new List<Move>();
                foreach (var way in Ways)
                    moves.AddRange(await MovesAsync(way, rounds, rate, limit, size));
                Print(rate, limit, size, moves);
            }
        }
    }

    private sealed record Move(string Way, bool Converged, double Total, double Reported, double Seen, double Dirtied, long Rounds);

    /// <summary>There and back where the two differ, so that each way has as many moves.</summary>
    private static async Task<List<Move>> MovesAsync(string[] way, int rounds, int rate, int limit, long size)
    {
        var moves = new List<Move>();
        string[] options =
        [
            .. Heartbeat.Machine($"pages={size >> 12} rate={rate * 1_000_000L >> 12} pattern=counter beat=20", $"{(size >> 20) + 16}M"),
        ];
        var machine = await StartAsync(way[0], options);
        try
        {
            await Heartbeat.WaitForBeatAsync(machine, 10);
            for (var hop = 0; hop < rounds * (way[0] == way[1] ? 1 : 2); hop++)
            {
                var destination = await StartAsync(way[(hop + 1) % 2], [.. options, "-incoming", "defer"]);
                var move = await MoveAsync(machine, destination, $"{way[hop % 2]} to {way[(hop + 1) % 2]}", limit);
                moves.Add(move);
                await (move.Converged ? machine : destination).DisposeAsync();
                if (!move.Converged)
                    break;
                machine = destination;
            }
        }
        finally
        {
            await machine.DisposeAsync();
        }

        return moves;
    }

    private static Task<QemuProcess> StartAsync(string name, string[] options)
    {
        var command = MachineCommand.Live(name);
        return QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. options]);
    }

    private static async Task<Move> MoveAsync(QemuProcess source, QemuProcess destination, string way, int limit)
    {
        var uri = $"tcp:127.0.0.1:{LiveGuest.FreePort()}";
        foreach (var machine in new[] { source, destination })
            await machine.Qmp.SetCapabilitiesAsync(["return-path"]);
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = limit });
        await LiveGuest.IncomingAsync(destination, uri);
        await Heartbeat.WaitForBeatAsync(source, Heartbeat.All(source)[^1].Beat + 10);
        var first = Heartbeat.All(source)[^1];
        await source.Qmp.MigrateAsync(uri);
        var watch = Stopwatch.StartNew();
        var info = await source.Qmp.QueryMigrateAsync();
        while (info.GetProperty("status").GetString() is not ("completed" or "failed" or "cancelled"))
        {
            if (watch.Elapsed > ConvergencePatience)
                await source.Qmp.ExecuteAsync("migrate_cancel");
            await Task.Delay(20);
            info = await source.Qmp.QueryMigrateAsync();
        }

        var status = info.GetProperty("status").GetString();
        var last = Heartbeat.All(source)[^1];
        var dirtied = (last.Writes - first.Writes) * 4096.0 / Math.Max(1, last.Time - first.Time) * 10;
        if (status == "cancelled")
            return new Move(way, false, 0, 0, 0, dirtied, 0);
        if (status != "completed")
            throw new IOException($"{way}: {info}; {source.Errors}; {destination.Errors}");
        var broken = source.SerialText is [.., not '\n'];
        await destination.WaitForLineAsync(l => Heartbeat.Parse(l)?.Beat > last.Beat + 2, Heartbeat.Patience);
        // The line that began on the source was begun before it stopped.
        var after = destination.SerialLines.Skip(broken ? 1 : 0).Select(Heartbeat.Parse).OfType<Heartbeat>().ToList();
        if (after[^1].Errors > 0)
            throw new IOException($"{way}: the guest found {after[^1].Errors} errors");
        return new Move(way, true, info.GetProperty("total-time").GetInt64(), info.GetProperty("downtime").GetInt64(), after[0].Gap / 1000.0, dirtied, info.GetProperty("ram").GetProperty("dirty-sync-count").GetInt64());
    }

    private static void Print(int rate, int limit, long size, List<Move> moves)
    {
        Console.WriteLine();
        Console.WriteLine($"{rate} MB/s dirtied in {size >> 20} MiB, downtime-limit {limit} ms; milliseconds, median (max):");
        Console.WriteLine($"  {"",-18} {"converged",9} {"dirtied",10} {"rounds",7} {"total",16} {"reported",16} {"the guest saw",16}");
        foreach (var way in moves.GroupBy(m => m.Way, StringComparer.Ordinal))
        {
            var done = way.Where(m => m.Converged).ToList();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {way.Key,-18} {$"{done.Count} of {way.Count()}",9} {way.Average(m => m.Dirtied),5:0} MB/s {done.Select(m => m.Rounds).DefaultIfEmpty().Average(),7:0.0} {Spread(done, m => m.Total),16} {Spread(done, m => m.Reported),16} {Spread(done, m => m.Seen),16}"));
        }
    }

    private static string Spread(List<Move> moves, Func<Move, double> of)
    {
        var sorted = moves.Select(of).Order().ToList();
        return sorted.Count == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:0} ({sorted[^1]:0})");
    }
}
