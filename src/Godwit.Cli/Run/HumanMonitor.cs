using Godwit.Migration.Control;
using Godwit.Monitor.Server;

namespace Godwit.Cli.Run;

/// <summary>The commands behind Ctrl-A c.</summary>
/// <param name="machine">Not known before the serial port is, which this belongs to.</param>
internal sealed class HumanMonitor(Func<(IMonitoredMachine Machine, Migrator Migrator)?> machine)
{
    /// <summary>Follows a command.</summary>
    /// <returns>What to show, whole lines.</returns>
    public string Execute(string line) => machine() is var (running, migrator)
        ? HumanCommands.Execute(running, migrator, line)
        : "the machine isn't there yet\n";
}
