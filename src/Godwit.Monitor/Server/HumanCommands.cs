using Godwit.Migration;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>The commands of QEMU's human monitor that a machine here can follow. Source of what is said to wrong ones: QEMU monitor/hmp.c.</summary>
public static class HumanCommands
{
    private static readonly HumanCommand[] Commands =
    [
        new("help|?", "[COMMAND]", "this, or one line of it", c => Help(c.Rest)),
        new("info", "[WORD]", "", Info),
        new("migrate", "[-d] URI", "moves the guest", Migrate),
        new("migrate_cancel", "", "ends that; the guest goes on here", c => Do(c.Migrator.Cancel)),
        new("migrate_set_capability", "NAME on|off", "what a migration uses", SetCapability),
        new("stop|s", "", "stops the guest", c => Do(c.Machine.Stop)),
        new("cont|c", "", "lets it go on", c => Do(c.Machine.Continue)),
        new("system_reset", "", "as the reset button does", c => Do(c.Machine.Reset)),
        new("system_powerdown", "", "as the power button does", c => Do(c.Machine.PowerDown)),
        new("quit|q", "", "ends the machine", c => Do(c.Machine.TellQuit, c.Machine.Quit)),
    ];

    private static readonly HumanCommand[] InfoWords =
    [
        new("status", "", "the run state", c => $"VM status: {(c.Machine.Status is "running" or "paused" ? c.Machine.Status : $"paused ({c.Machine.Status})")}\n"),
        new("migrate", "[-a]", "the migration that is under way, or was; -a: all of it", InfoMigrate),
        new("migrate_capabilities", "", "what a migration uses", c => string.Concat(Capabilities.Names.Select(n => $"{n}: {(c.Migrator.Capabilities[n] ? "on" : "off")}\n"))),
        new("name", "", "the machine's -name", c => c.Machine.Name is { } name ? name + "\n" : ""),
        new("uuid", "", "the machine's -uuid", c => $"{c.Machine.Uuid}\n"),
    ];

    /// <param name="Rest">What stands behind the command's name.</param>
    private readonly record struct Call(IMonitoredMachine Machine, Migrator Migrator, string Rest);

    /// <param name="Names">All of them, separated by '|'.</param>
    /// <param name="Arguments">Empty: it takes none.</param>
    private sealed record HumanCommand(string Names, string Arguments, string Explanation, Func<Call, string> Run)
    {
        public string Line(string prefix) => $"{prefix}{$"{Names} {Arguments}".TrimEnd().PadRight(36 - prefix.Length)}  {Explanation}\n";
    }

    /// <returns>What to show, whole lines that end with a line feed.</returns>
    public static string Execute(IMonitoredMachine machine, Migrator migrator, string line)
    {
        var (name, rest) = Split(line);
        try
        {
            return name.Length == 0 ? "" : Follow(Commands, "", name, new Call(machine, migrator, rest));
        }
        catch (Exception e) when (e is MigrationRefusedException or QmpError)
        {
            return $"Error: {e.Message}\n";
        }
    }

    private static string Follow(HumanCommand[] commands, string prefix, string name, Call call)
    {
        if (Find(commands, name) is not { } command)
            return $"unknown command: '{prefix}{name}'\n";
        try
        {
            return command.Arguments.Length > 0 || call.Rest.Length == 0 ? command.Run(call) : throw new FormatException($"{command.Names}: extraneous characters at the end of line");
        }
        catch (FormatException e)
        {
            return $"{e.Message}\nTry \"help {prefix}{name}\" for more information\n";
        }
    }

    private static HumanCommand? Find(HumanCommand[] commands, string name) => Array.Find(commands, c => c.Names.Split('|').Contains(name, StringComparer.Ordinal));

    private static string Help(string of)
    {
        var (name, rest) = Split(of);
        if (name.Length == 0)
            return string.Concat(InfoWords.Select(w => w.Line("info ")).Concat(Commands.Where(c => c.Explanation.Length > 0).Select(c => c.Line(""))));
        var (prefix, known, wanted) = name == "info" ? ("info ", InfoWords, Split(rest).Word) : ("", Commands, name);
        if (wanted.Length == 0)
            return string.Concat(InfoWords.Select(w => w.Line(prefix)));
        return Find(known, wanted)?.Line(prefix) ?? $"unknown command: '{prefix}{wanted}'\n";
    }

    private static string Info(Call call)
    {
        var (name, rest) = Split(call.Rest);
        return name.Length == 0 ? Help("info") : Follow(InfoWords, "info ", name, call with { Rest = rest });
    }

    private static string InfoMigrate(Call call)
    {
        var (option, rest) = Split(call.Rest);
        if (option.Length > 0 && option[0] == '-' && option != "-a")
            throw new FormatException($"migrate: unsupported option {option}");
        if (rest.Length > 0 || option is not ("" or "-a"))
            throw new FormatException("migrate: extraneous characters at the end of line");
        return MigrationText.Of(call.Migrator.Query(), all: option == "-a");
    }

    private static string Migrate(Call call)
    {
        // An address may have spaces in it: exec:.
        var rest = call.Rest;
        if (Split(rest) is ("-d", var behind))
            rest = behind;
        if (rest.Length == 0)
            throw new FormatException("migrate: string expected");
        if (rest[0] == '-')
            throw new FormatException($"migrate: unsupported option {Split(rest).Word}");
        QmpCommands.Migrate(call.Machine, call.Migrator, MigrationAddress.Parse(rest.Trim('"')));
        return "";
    }

    private static string SetCapability(Call call)
    {
        var (name, rest) = Split(call.Rest);
        var (state, more) = Split(rest);
        if (name.Length == 0)
            throw new FormatException("migrate_set_capability: string expected");
        if (state is not ("on" or "off"))
            throw new FormatException("Expected 'on' or 'off'");
        if (more.Length > 0)
            throw new FormatException("migrate_set_capability: extraneous characters at the end of line");
        if (!Capabilities.Names.Contains(name, StringComparer.Ordinal))
            throw new QmpError($"invalid parameter value: {name}");
        call.Migrator.SetCapabilities([KeyValuePair.Create(name, state == "on")]);
        return "";
    }

    private static (string Word, string Behind) Split(string line)
    {
        var text = line.Trim();
        var end = text.IndexOf(' ', StringComparison.Ordinal);
        return end < 0 ? (text, "") : (text[..end], text[end..].TrimStart());
    }

    private static string Do(params ReadOnlySpan<Action> actions)
    {
        foreach (var action in actions)
            action();
        return "";
    }
}
