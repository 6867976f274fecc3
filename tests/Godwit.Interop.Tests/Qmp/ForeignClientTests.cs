using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>The client library and the shell that QEMU comes with, as eng/install-qmp-client has them, at Godwit's monitor and at QEMU's: they work alike.</summary>
public sealed class ForeignClientTests
{
    private const string Guest = "pages=200 rate=2k pattern=random";

    /// <summary>What Client/migrate.py reports of two QEMUs.</summary>
    private const string Expected = """
        {
          "greeting": [["oob"], ["oob"]],
          "refused": [
            ["CommandNotFound", "The command no-such-command has not been found"],
            ["GenericError", "unknown migration protocol: nowhere"],
            ["GenericError", "Option downtime-limit expects an integer in the range of 0 to (2000 * 1000) ms"],
            ["GenericError", "migrate-pause is currently only supported during postcopy-active or postcopy-recover state"],
            ["GenericError", "The command cont does not support OOB"],
            ["GenericError", "Guest is waiting for an incoming migration"]
          ],
          "capabilities": [{"events": true, "return-path": true, "xbzrle": false}, {"events": true, "return-path": true, "xbzrle": false}],
          "parameters": [67108864, 500],
          "before": ["running", "inmigrate", "running"],
          "migration": ["completed", 0, true, true, true],
          "after": ["postmigrate", "running"],
          "ended": "closed",
          "events": [
            ["MIGRATION setup", "MIGRATION active", "STOP", "MIGRATION device", "MIGRATION completed", "SHUTDOWN"],
            ["MIGRATION setup", "MIGRATION active", "RESUME", "MIGRATION completed"]
          ]
        }
        """;

    [Theory]
    [InlineData("godwit", "godwit")]
    [InlineData("qemu", "godwit")]
    [InlineData("godwit", "qemu")]
    [InlineData("qemu", "qemu")]
    public async Task The_library_moves_a_running_guest(string from, string to)
    {
        await using var source = await StartAsync(from);
        await using var destination = await StartAsync(to, "-incoming", "defer");
        await Heartbeat.WaitForBeatAsync(source, 3);

        var result = await PythonAsync(Repository.Path("tests", "Godwit.Interop.Tests", "Qmp", "Client", "migrate.py"), Monitor(source), Monitor(destination), $"unix:{destination.Folder}/in");

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Equal(JsonNode.Parse(Expected)!.ToJsonString(), JsonNode.Parse(result.Output)!.ToJsonString());
        var before = Heartbeat.All(source);
        await Heartbeat.WaitForBeatAsync(destination, before[^1].Beat + 3);
        var after = Heartbeat.All(destination);
        Assert.Equal(before[^1].Beat + 1, after[0].Beat);
        Assert.All(before.Concat(after), b => Assert.Equal(0, b.Errors));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-H")]
    public async Task The_shell_shows_the_same(string options)
    {
        string[] commands = options == "-H"
            ? ["info status", "stop", "info status", "info name", "info foo", "migrate nowhere", "cont", "info status"]
            : ["query-status", "query-name", "migrate-set-parameters max-bandwidth=1000000 downtime-limit=7", "migrate-set-capabilities capabilities=[{'capability':'xbzrle','state':true}]", "migrate uri=nowhere", "stop now=1", "stop", "query-status", "cont", "human-monitor-command command-line='info status'"];

        var (qemu, godwit) = (await ShellAsync("qemu", options, commands), await ShellAsync("godwit", options, commands));

        Assert.Contains("shelltest", qemu, StringComparison.Ordinal);
        Assert.Equal(qemu, godwit);
    }

    /// <returns>What it printed, without the machine's version.</returns>
    private static async Task<string> ShellAsync(string name, string options, string[] commands)
    {
        await using var machine = await StartAsync(name, "-name", "shelltest");
        var input = Path.Combine(machine.Folder, "commands");
        await File.WriteAllLinesAsync(input, commands);
        var result = await GodwitCommand.RunShellAsync($"HOME={machine.Folder} PYTHONPATH={Peers.QmpClient} python3 -B -W ignore -m qemu.qmp.qmp_shell {options} {Monitor(machine)} <{input}");
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        return string.Join('\n', result.Output.Split('\n').Where(l => !l.StartsWith("Connected to QEMU 11.1.", StringComparison.Ordinal)));
    }

    private static Task<CommandResult> PythonAsync(params string[] arguments) =>
        GodwitCommand.RunProgramAsync("/usr/bin/env", [$"PYTHONPATH={Peers.QmpClient}", "python3", "-B", .. arguments]);

    /// <summary>The test has the machine's first monitor itself.</summary>
    private static Task<QemuProcess> StartAsync(string name, params string[] more)
    {
        var command = MachineCommand.Live(name);
        return QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. Heartbeat.Machine(Guest), .. more, "-qmp", "unix:{folder}/second,server=on,wait=off"]);
    }

    private static string Monitor(QemuProcess machine) => $"{machine.Folder}/second";
}
