using System.Text.Json.Nodes;
using Godwit.Migration;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>The commands by name. For any thread.</summary>
internal sealed class QmpCommands
{
    private static readonly string[] OutOfBand = ["migrate-pause", "migrate-recover"];

    private readonly Dictionary<string, Func<QmpArguments, JsonNode?>> _commands;
    private readonly IMonitoredMachine _machine;
    private readonly Migrator _migrator;
    private readonly MigrationParameters _parameters;
    private readonly string _version;

    public QmpCommands(IMonitoredMachine machine, Migrator migrator, string version)
    {
        _machine = machine;
        _migrator = migrator;
        _parameters = new MigrationParameters(migrator);
        _version = version;
        _commands = new(StringComparer.Ordinal)
        {
            ["qmp_capabilities"] = _ => null,
            ["query-version"] = a => Answer(a, Version()),
            ["query-commands"] = a => Answer(a, new JsonArray([.. Names.Select(n => (JsonNode)new JsonObject { ["name"] = n })])),
            ["query-name"] = a => Answer(a, machine.Name is { } name ? new JsonObject { ["name"] = name } : new JsonObject()),
            ["query-uuid"] = a => Answer(a, new JsonObject { ["UUID"] = machine.Uuid.ToString() }),
            ["query-status"] = a => Answer(a, new JsonObject { ["status"] = machine.Status, ["running"] = machine.Status == "running" }),
            ["stop"] = a => Do(a, machine.Stop),
            ["cont"] = a => Do(a, machine.Continue),
            ["system_reset"] = a => Do(a, machine.Reset),
            ["system_powerdown"] = a => Do(a, machine.PowerDown),
            // Followed once it has been answered: see QmpSession.
            ["quit"] = a => Do(a, machine.TellQuit),
            ["add-fd"] = DescriptorCommands.Add,
            ["remove-fd"] = DescriptorCommands.Remove,
            ["query-fdsets"] = DescriptorCommands.Query,
            ["getfd"] = DescriptorCommands.Get,
            ["closefd"] = DescriptorCommands.Close,
            ["human-monitor-command"] = HumanMonitorCommand,
            ["migrate"] = Migrate,
            ["migrate-incoming"] = Incoming,
            ["migrate_cancel"] = a => Do(a, migrator.Cancel),
            ["migrate-continue"] = MigrateContinue,
            ["migrate-pause"] = a => Do(a, () => throw new QmpError("migrate-pause is currently only supported during postcopy-active or postcopy-recover state")),
            ["query-migrate"] = a => Answer(a, MigrationAnswer.ToJson(migrator.Query())),
            ["migrate-set-capabilities"] = SetCapabilities,
            ["query-migrate-capabilities"] = a => Answer(a, new JsonArray([.. Capabilities.Names.Select(n =>
                (JsonNode)new JsonObject { ["state"] = migrator.Capabilities[n], ["capability"] = n })])),
            ["migrate-set-parameters"] = SetParameters,
            ["object-add"] = ObjectAdd,
            ["object-del"] = ObjectDelete,
            ["query-migrate-parameters"] = a => Answer(a, _parameters.Describe()),
        };
    }

    private IEnumerable<string> Names => _commands.Keys;

    public JsonObject Version() => new()
    {
        ["qemu"] = new JsonObject { ["micro"] = 0, ["minor"] = 1, ["major"] = 11 },
        ["package"] = $"godwit {_version}",
    };

    public bool Knows(string name) => _commands.ContainsKey(name);

    public static bool MayBeOutOfBand(string name) => OutOfBand.Contains(name, StringComparer.Ordinal);

    public void Quit() => _machine.Quit();

    /// <exception cref="QmpError">It isn't followed.</exception>
    public JsonNode Execute(string name, QmpArguments arguments)
    {
        try
        {
            return _commands[name](arguments) ?? new JsonObject();
        }
        catch (Exception e) when (e is MigrationRefusedException or NotSupportedException or IOException)
        {
            throw new QmpError(e.Message);
        }
        catch (Exception e) when (e is not QmpError)
        {
            // The guest isn't lost for it.
            throw new QmpError($"{name} failed, by a defect of godwit: {e.GetType().Name}: {e.Message}");
        }
    }

    private static JsonNode Answer(QmpArguments arguments, JsonNode answer)
    {
        arguments.Finish();
        return answer;
    }

    private static JsonNode? Do(QmpArguments arguments, Action action)
    {
        arguments.Finish();
        action();
        return null;
    }

    private JsonValue HumanMonitorCommand(QmpArguments arguments)
    {
        var line = arguments.String("command-line");
        var hart = arguments.OptionalInteger("cpu-index");
        arguments.Finish();
        if (hart < 0 || hart >= _machine.HartCount)
            throw new QmpError("Parameter 'cpu-index' expects a CPU number");
        return JsonValue.Create(HumanCommands.Execute(_machine, _migrator, line).Replace("\n", "\r\n", StringComparison.Ordinal));
    }

    private JsonNode? Migrate(QmpArguments arguments)
    {
        var resume = arguments.OptionalBool("resume") ?? false;
        var address = MigrationAddress.Read(arguments);
        arguments.Finish();
        var uri = address();
        try
        {
            if (resume)
                throw new QmpError("Cannot resume if there is no paused migration");
            Migrate(_machine, _migrator, uri);
        }
        catch
        {
            MigrationAddress.GiveBack(uri);
            throw;
        }

        return null;
    }

    /// <exception cref="QmpError">The machine's guest isn't its own to give.</exception>
    public static void Migrate(IMonitoredMachine machine, Migrator migrator, MigrationUri uri)
    {
        migrator.ThrowIfOutgoing();
        if (machine.Status == "inmigrate")
            throw new QmpError("Guest is waiting for an incoming migration");
        if (machine.Status == "postmigrate")
            throw new QmpError("Can't migrate the vm that was paused due to previous migration");
        migrator.Migrate(uri);
    }

    private JsonNode? Incoming(QmpArguments arguments)
    {
        var exitOnError = arguments.OptionalBool("exit-on-error") ?? true;
        var address = MigrationAddress.Read(arguments);
        arguments.Finish();
        _migrator.ThrowIfIncoming();
        if (_machine.Status != "inmigrate")
            throw new QmpError("'-incoming' was not specified on the command line");
        var uri = address();
        try
        {
            _migrator.Incoming(uri, exitOnError);
        }
        catch
        {
            MigrationAddress.GiveBack(uri);
            throw;
        }

        return null;
    }

    private JsonNode? MigrateContinue(QmpArguments arguments)
    {
        var state = arguments.Enumeration("state", "none", "setup", "cancelling", "cancelled", "active", "postcopy-device", "postcopy-active", "postcopy-paused",
            "postcopy-recover-setup", "postcopy-recover", "completed", "failing", "failed", "colo", "pre-switchover", "device", "wait-unplug");
        arguments.Finish();
        var known = Enum.GetValues<MigrationStatus>().Where(s => string.Equals(s.ToName(), state, StringComparison.Ordinal)).ToList();
        if (known.Count == 0)
            throw new QmpError($"Migration not in expected state: {(_migrator.Query().Status ?? MigrationStatus.None).ToName()}");
        _migrator.Continue(known[0]);
        return null;
    }

    private JsonNode? SetCapabilities(QmpArguments arguments)
    {
        var changes = new List<KeyValuePair<string, bool>>();
        foreach (var change in arguments.Objects("capabilities"))
        {
            var name = change.Enumeration("capability", [.. Capabilities.Names]);
            changes.Add(new(name, change.Bool("state")));
            change.Finish();
        }

        arguments.Finish();
        _migrator.SetCapabilities(changes);
        return null;
    }

    private JsonNode? ObjectAdd(QmpArguments arguments)
    {
        var type = arguments.String("qom-type");
        var id = arguments.String("id");
        _migrator.Objects.Add(type, id, arguments.Others(), words: false);
        return null;
    }

    private JsonNode? ObjectDelete(QmpArguments arguments)
    {
        var id = arguments.String("id");
        arguments.Finish();
        _migrator.Objects.Remove(id);
        return null;
    }

    private JsonNode? SetParameters(QmpArguments arguments)
    {
        _parameters.Set(arguments);
        return null;
    }
}
