using Godwit.Migration;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>The commands of QEMU's human monitor that a machine here can follow.</summary>
public static class HumanCommands
{
    public const string Help = """
        info status         the run state
        info migrate [-a]   the migration that is under way, or was
        migrate [-d] URI    moves the guest
        migrate_cancel      ends that; the guest goes on here
        stop|s              stops the guest
        cont|c              lets it go on
        system_reset        as the reset button does
        system_powerdown    as the power button does
        quit|q              ends the machine

        """;

    /// <returns>What to show, whole lines that end with a line feed.</returns>
    public static string Execute(IMonitoredMachine machine, Migrator migrator, string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        try
        {
            return Follow(machine, migrator, line, words);
        }
        catch (Exception e) when (e is MigrationRefusedException or QmpError)
        {
            return $"Error: {e.Message}\n";
        }
    }

    private static string Follow(IMonitoredMachine machine, Migrator migrator, string line, string[] words)
    {
        switch (string.Join(' ', words))
        {
            case "":
                return "";
            case "help" or "?":
                return Help;
            case "info status":
                return $"VM status: {(machine.Status is "running" or "paused" ? machine.Status : $"paused ({machine.Status})")}\n";
            case "info migrate":
                return MigrationText.Of(migrator.Query(), all: false);
            case "info migrate -a":
                return MigrationText.Of(migrator.Query(), all: true);
            case "stop" or "s":
                machine.Stop();
                return "";
            case "cont" or "c":
                machine.Continue();
                return "";
            case "system_reset":
                machine.Reset();
                return "";
            case "system_powerdown":
                machine.PowerDown();
                return "";
            case "quit" or "q":
                machine.TellQuit();
                machine.Quit();
                return "";
            case "migrate_cancel":
                migrator.Cancel();
                return "";
        }

        if (words[0] != "migrate")
            return $"unknown command: '{words[0]}'\n";
        // An address may have spaces in it: exec:.
        var rest = line.TrimStart()["migrate".Length..].Trim();
        if (rest.StartsWith("-d ", StringComparison.Ordinal))
            rest = rest[3..].TrimStart();
        if (rest.Length == 0 || rest == "-d")
            return "migrate: string expected\nTry \"help migrate\" for more information\n";
        if (rest[0] == '-')
            return $"migrate: unsupported option {rest.Split(' ')[0]}\nTry \"help migrate\" for more information\n";
        QmpCommands.Migrate(machine, migrator, MigrationAddress.Parse(rest.Trim('"')));
        return "";
    }
}
