using System.Reflection;
using System.Text.Json.Nodes;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Migration.Control;
using Godwit.Monitor.Server;

namespace Godwit.Cli.Run;

/// <summary>The machine's QMP monitor, and what it tells of the machine: STOP, RESUME, RESET, POWERDOWN, SHUTDOWN.</summary>
internal sealed class MachineMonitor : IDisposable
{
    private readonly QmpServer _server;

    public MachineMonitor(VirtMachine machine, MonitoredMachine monitored, Migrator migrator)
    {
        var version = typeof(MachineMonitor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        _server = new QmpServer(monitored, migrator, version);
        monitored.Told = (name, reason) =>
            _server.Tell(name, reason is null ? null : new JsonObject { ["guest"] = false, ["reason"] = reason });
        var ran = false;
        machine.StateChanged = state =>
        {
            // The board is told of each change under its lock: in order.
            var runs = state == RunState.Running;
            if (runs != ran)
                _server.Tell(runs ? "RESUME" : "STOP");
            ran = runs;
        };
    }

    public void Listen(QmpAddress address) => _server.Listen(address.Address, address.Wait);

    public void ToldOfGuestShutdown() => _server.Tell("SHUTDOWN", new JsonObject { ["guest"] = true, ["reason"] = "guest-shutdown" });

    public void Dispose() => _server.Dispose();
}
