using System.Reflection;
using System.Text.Json.Nodes;
using Godwit.Devices.SifiveTest;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Migration.Control;
using Godwit.Monitor.Server;

namespace Godwit.Cli.Run;

/// <summary>The machine's QMP monitor, and what it tells of the machine: STOP, RESUME, RESET, POWERDOWN, SHUTDOWN.</summary>
internal sealed class MachineMonitor : IDisposable
{
    private readonly QmpServer _server;

    /// <param name="endsAtShutdown">Whether the process ends when the guest powers off: that it stands, nobody is told then.</param>
    public MachineMonitor(VirtMachine machine, MonitoredMachine monitored, Migrator migrator, bool endsAtShutdown)
    {
        var version = typeof(MachineMonitor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        _server = new QmpServer(monitored, migrator, version);
        monitored.Told = (name, reason) => Tell(name, guest: false, reason);
        machine.GuestReset = () => Tell("RESET", guest: true, "guest-reset");
        machine.GuestShutdown = power => Tell("SHUTDOWN", guest: true, power.Kind == PowerEventKind.Reset ? "guest-reset" : power.IsFailure ? "guest-panic" : "guest-shutdown");
        var ran = false;
        machine.StateChanged = state =>
        {
            // The board is told of each change under its lock: in order.
            var runs = state == RunState.Running;
            if (runs != ran && !(endsAtShutdown && state == RunState.Shutdown))
                _server.Tell(runs ? "RESUME" : "STOP");
            ran = runs;
        };
    }

    public void Listen(QmpOption option) => _server.Listen(option.Address, option.Wait);

    public void Dispose() => _server.Dispose();

    private void Tell(string name, bool guest, string? reason) =>
        _server.Tell(name, reason is null ? null : new JsonObject { ["guest"] = guest, ["reason"] = reason });
}
