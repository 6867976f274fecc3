using System.Diagnostics;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

public enum Fault
{
    /// <summary>The connection breaks.</summary>
    Cut,

    /// <summary>Nothing passes any more, until the migration is cancelled.</summary>
    Stall,
    SourceKilled,
    DestinationKilled,
}

/// <summary>One migration that meets a fault, and what is left of the guest.</summary>
public sealed class FaultScene : IAsyncDisposable
{
    private readonly LiveGuest _guest;
    private readonly QemuProcess _source;
    private readonly QemuProcess _destination;
    private readonly FaultPlace _place;
    private readonly Fault _fault;
    private readonly FaultyRelay _relay;
    private readonly string _path;

    private FaultScene(LiveGuest guest, QemuProcess destination, FaultPlace place, Fault fault)
    {
        _guest = guest;
        _source = guest.Machine;
        _destination = destination;
        _place = place;
        _fault = fault;
        _path = $"{_source.Folder}/relay-{Path.GetFileName(destination.Folder)}";
        _relay = new FaultyRelay(place, _path, $"{destination.Folder}/in");
    }

    public static async Task<FaultScene> PrepareAsync(LiveGuest guest, string to, FaultPlace place, Fault fault)
    {
        var slow = place.Stage == FaultStage.Round;
        var destination = await guest.DestinationAsync(to);
        await destination.Qmp.SetCapabilitiesAsync(["return-path"]);
        await guest.Machine.Qmp.SetCapabilitiesAsync(["return-path", "events"]);
        await guest.Machine.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = slow ? 16L << 20 : 0, ["downtime-limit"] = slow ? 1 : 2000 });
        await LiveGuest.IncomingAsync(destination, $"unix:{destination.Folder}/in");
        return new FaultScene(guest, destination, place, fault);
    }

    /// <summary>Migrates into the fault, and waits until neither end does anything more.</summary>
    public async Task<FaultOutcome> RunAsync()
    {
        using var patience = new CancellationTokenSource(Heartbeat.Patience);
        _ = Events();
        var sockets = Sockets();
        await _source.Qmp.MigrateAsync($"unix:{_path}", patience.Token);
        await _relay.Reached.WaitAsync(patience.Token);
        switch (_fault)
        {
            case Fault.Stall:
                Assert.Matches("^(setup|active|device)$", (await _source.Qmp.QueryMigrateAsync(patience.Token)).GetProperty("status").GetString());
                await _source.Qmp.ExecuteAsync("migrate_cancel", null, patience.Token);
                await _source.Qmp.WaitForMigrationAsync(patience.Token);
                break;
            case Fault.SourceKilled:
                await KillAsync(_source);
                break;
            case Fault.DestinationKilled:
                await KillAsync(_destination);
                break;
        }

        _relay.Break();
        var destination = _fault == Fault.DestinationKilled ? "killed" : await DestinationAsync(patience.Token);
        if (_fault == Fault.SourceKilled)
            return new("killed", destination, "", "");
        var info = await _source.Qmp.WaitForMigrationAsync(patience.Token);
        var state = await _source.Qmp.QueryStatusAsync(patience.Token);
        await RequireNothingLeftAsync(sockets, patience.Token);
        return new($"{info.GetProperty("status").GetString()} {state}", destination, Events(), string.Join(' ', info.EnumerateObject().Select(m => m.Name)));
    }

    /// <summary>Finds the guest, wakes it where it is held, and hears it live on, there alone.</summary>
    /// <returns>False where it went with its source.</returns>
    public async Task<bool> FindGuestAsync(FaultOutcome outcome)
    {
        if (outcome.Source != "killed" && !outcome.RunsAtDestination)
        {
            if (outcome.Destination != "killed")
                Assert.Equal("", _destination.SerialText);
            await _destination.DisposeAsync();
            if (!outcome.RunsAtSource)
                await _source.Qmp.ExecuteAsync("cont");
            await _guest.LiveOnAsync(2);
            Assert.Equal("running", await _source.Qmp.QueryStatusAsync());
            return true;
        }

        if (outcome.Destination is "exited" or "killed")
        {
            Assert.Equal("", _destination.SerialText);
            return false;
        }

        if (!outcome.RunsAtDestination)
            await _destination.Qmp.ExecuteAsync("cont");
        var there = _source.SerialText;
        await _destination.WaitForLineAsync(l => Heartbeat.Parse(l) is not null, Heartbeat.Patience);
        // What stands at the source stands there still.
        Assert.Equal(there, _source.SerialText);
        await _guest.TakenByAsync(_destination);
        await _guest.LiveOnAsync(2);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        _relay.Dispose();
        if (_guest.Machine != _destination)
            await _destination.DisposeAsync();
    }

    /// <summary>What the source told since the last time.</summary>
    private string Events()
    {
        var names = new List<string>();
        while (_source.Qmp.Events.TryRead(out var told))
        {
            if (told.Name == "MIGRATION")
                names.Add(told.Data.GetProperty("status").GetString()!);
            else if (told.Name is "STOP" or "RESUME")
                names.Add(told.Name);
        }

        return string.Join(' ', names);
    }

    private async Task<string> DestinationAsync(CancellationToken patience)
    {
        try
        {
            await _destination.Qmp.WaitForMigrationAsync(patience);
            // On its way out, or about to start the guest.
            string state;
            while ((state = await _destination.Qmp.QueryStatusAsync(patience)) == "inmigrate")
                await Task.Delay(5, patience);
            return state;
        }
        catch (IOException)
        {
            while (!_destination.HasExited)
                await Task.Delay(5, patience);
            return "exited";
        }
    }

    /// <summary>Files that the runtime opens when it first needs them don't count.</summary>
    private int Sockets() => Listed("fd", f => File.ResolveLinkTarget(f, returnFinalTarget: false)?.Name ?? "").Count(n => n.Contains("socket:", StringComparison.Ordinal) || n.Contains("pipe:", StringComparison.Ordinal));

    private List<string> Threads() => Listed("task", t => File.ReadAllText($"{t}/comm").TrimEnd());

    private List<string> Listed(string folder, Func<string, string> read)
    {
        var list = new List<string>();
        foreach (var path in Directory.GetFileSystemEntries($"/proc/{_source.ProcessId}/{folder}"))
        {
            try
            {
                list.Add(read(path));
            }
            catch (IOException)
            {
                // Gone meanwhile.
            }
        }

        return list;
    }

    private async Task RequireNothingLeftAsync(int sockets, CancellationToken patience)
    {
        while (Sockets() > sockets || Threads().Any(t => t is "migration" or "migration-map" or "return path"))
        {
            Assert.False(patience.IsCancellationRequested, $"{Sockets()} sockets, {sockets} before; threads: {string.Join(' ', Threads())}; {string.Join(' ', Listed("fd", f => File.ResolveLinkTarget(f, false)?.FullName ?? ""))}");
            await Task.Delay(5, CancellationToken.None);
        }
    }

    private static async Task KillAsync(QemuProcess machine)
    {
        using var process = Process.GetProcessById(machine.ProcessId);
        process.Kill();
        await process.WaitForExitAsync();
    }
}
