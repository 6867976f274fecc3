using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Migration;
using Godwit.Monitor.Server;

namespace Godwit.Cli.Run;

/// <summary>The machine as its monitors see it.</summary>
/// <param name="quit">Ends the process.</param>
internal sealed class MonitoredMachine(VirtMachine machine, string? name, Action quit) : IMonitoredMachine
{
    /// <summary>Told of what no change of the run state says: RESET, POWERDOWN, SHUTDOWN.</summary>
    public Action<string, string?>? Told { get; set; }

    public string? Name => name;

    public Guid Uuid => machine.Uuid;

    public int HartCount => machine.Harts.Count;

    public string Status => machine.State.ToName();

    public void Continue()
    {
        if (machine.State == RunState.FinishMigrate)
            throw new MigrationRefusedException("Migration is not finalized yet");
        if (machine.State is RunState.Shutdown or RunState.InternalError)
            throw new MigrationRefusedException("Resetting the Virtual Machine is required");
        if (machine.State == RunState.IoError)
            throw new MigrationRefusedException("The guest's memory is lost: query-migrate says why");
        machine.Continue();
    }

    public void Stop() => machine.Pause();

    public void Reset()
    {
        Told?.Invoke("RESET", "host-qmp-system-reset");
        machine.Reset();
    }

    public void PowerDown() => Told?.Invoke("POWERDOWN", null);

    public void TellQuit() => Told?.Invoke("SHUTDOWN", "host-qmp-quit");

    public void TellSignal() => Told?.Invoke("SHUTDOWN", "host-signal");

    public void Quit() => quit();
}
