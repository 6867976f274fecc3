using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;

namespace Godwit.Cli.Run;

/// <summary>The commands behind Ctrl-A c, those of QEMU's human monitor that a machine here can follow.</summary>
/// <param name="machine">Not known before the serial port is, which this belongs to.</param>
/// <param name="quit">Ends the process.</param>
internal sealed class HumanMonitor(Func<VirtMachine?> machine, Action quit)
{
    private const string Help = """
        info status     the run state
        stop|s          stops the guest
        cont|c          lets it go on
        system_reset    as the reset button does
        quit|q          ends godwit

        """;

    /// <summary>Follows a command.</summary>
    /// <returns>What to show, whole lines.</returns>
    public string Execute(string line)
    {
        if (machine() is not { } running)
            return "the machine isn't there yet\n";
        switch (line)
        {
            case "help" or "?":
                return Help;
            case "info status":
                return $"VM status: {Describe(running.State)}\n";
            case "stop" or "s":
                running.Pause();
                return "";
            case "cont" or "c":
                running.Continue();
                return "";
            case "system_reset":
                running.Reset();
                return "";
            case "quit" or "q":
                quit();
                return "";
            default:
                return $"unknown command: '{line}'; 'help' lists what there is\n";
        }
    }

    private static string Describe(RunState state) =>
        state is RunState.Running or RunState.Paused ? state.ToName() : $"paused ({state.ToName()})";
}
