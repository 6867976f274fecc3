using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary><c>godwit migrate</c> as the monitor's client of QEMU's machines and of Godwit's.</summary>
public sealed class MigrateCommandTests
{
    private const string New = "qemu-newest-system-riscv64";
    private const string Guest = "pages=1k rate=5k pattern=random";

    [Fact]
    public async Task It_moves_a_busy_guest()
    {
        await using var source = await StartAsync(Guest);
        await using var destination = await QemuProcess.StartAsync(Peers.Path(New), [.. Heartbeat.Machine(Guest), "-incoming", "unix:{folder}/in"]);

        var result = await MigrateAsync(source, destination, "--capability", "return-path", "--capability", "xbzrle=off", "--parameter", "max-bandwidth=64M", "--parameter", "downtime-limit=200");

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Contains("completed", result.Output, StringComparison.Ordinal);
        Assert.Contains("downtime", result.Output, StringComparison.Ordinal);
        var parameters = await source.Qmp.ExecuteAsync("query-migrate-parameters");
        Assert.Equal((64L << 20, 200L), (parameters.GetProperty("max-bandwidth").GetInt64(), parameters.GetProperty("downtime-limit").GetInt64()));
        var before = Heartbeat.All(source)[^1];
        await Heartbeat.WaitForBeatAsync(destination, before.Beat + 3);
        Assert.Equal(before.Beat + 1, Heartbeat.All(destination)[0].Beat);
        Assert.All(Heartbeat.All(destination), b => Assert.Equal(0, b.Errors));
    }

    [Fact]
    public async Task It_moves_a_guest_over_many_channels()
    {
        await using var source = await StartAsync(Guest);
        await using var destination = await QemuProcess.StartAsync(
            Peers.Path(New), [.. Heartbeat.Machine(Guest), "-global", "migration.x-multifd=on", "-global", "migration.multifd-channels=4", "-global", "migration.multifd-compression=zstd", "-incoming", "unix:{folder}/in"]);

        var result = await MigrateAsync(source, destination, "--capability", "multifd", "--parameter", "multifd-channels=4", "--parameter", "multifd-compression=zstd");

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.InRange((await source.Qmp.QueryMigrateAsync()).GetProperty("ram").GetProperty("multifd-bytes").GetInt64(), 1 << 20, long.MaxValue);
        await Heartbeat.WaitForBeatAsync(destination, Heartbeat.All(source)[^1].Beat + 3);
        Assert.All(Heartbeat.All(destination), b => Assert.Equal(0, b.Errors));
    }

    [Fact]
    public async Task A_wait_before_the_switchover_is_continued()
    {
        await using var source = await StartAsync(Guest);
        await using var destination = await QemuProcess.StartAsync(Peers.Path(New), [.. Heartbeat.Machine(Guest), "-incoming", "unix:{folder}/in"]);

        var result = await MigrateAsync(source, destination, "--capability", "pause-before-switchover", "--json");

        Assert.True(result.ExitCode == 0, result.Errors);
        var summary = JsonNode.Parse(result.Output)!;
        Assert.Equal("completed", (string?)summary["status"]);
        Assert.True((long)summary["pages-normal"]! > 1000);
        Assert.True((long)summary["rounds"]! >= 2);
    }

    [Theory]
    [InlineData("interrupt")]
    [InlineData("timeout")]
    public async Task A_migration_that_does_not_converge_is_cancelled_and_the_guest_stays(string how)
    {
        await using var source = await StartAsync("pages=4k rate=max pattern=random");
        await using var destination = await QemuProcess.StartAsync(Peers.Path(New), [.. Heartbeat.Machine("pages=4k rate=max pattern=random"), "-incoming", "unix:{folder}/in"]);
        using var migrate = GodwitCommand.Start(
        [
            "migrate", "--qmp", Monitor(source), $"unix:{destination.Folder}/in", "--parameter", "max-bandwidth=16M", "--parameter", "downtime-limit=1",
            .. how == "timeout" ? (string[])["--timeout", "12"] : [],
        ]);
        await migrate.WaitForErrorAsync("does not converge: the guest dirties");
        if (how == "interrupt")
            migrate.Signal("INT");
        var result = await migrate.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(how == "timeout" ? "godwit: cancelled: it did not end within 12 s" : "godwit: cancelled\n", result.Errors, StringComparison.Ordinal);
        Assert.Contains("the guest runs on at the source", result.Errors, StringComparison.Ordinal);
        Assert.Contains("cancelled", result.Output, StringComparison.Ordinal);
        await AssertRunsOnAsync(source);
    }

    /// <summary>Three lines that stay in place; Ctrl-C, which the terminal makes a signal of; the cursor is given back.</summary>
    [Fact]
    public async Task On_a_terminal_it_shows_how_it_goes_and_control_C_cancels()
    {
        using var folder = new TemporaryFolder();
        string[] machine = [.. Heartbeat.Machine("pages=4k rate=max pattern=random"), "-qmp", "unix:{folder}/second,server=on,wait=off"];
        await using var source = await QemuProcess.StartAsync(Repository.Path("godwit"), ["run", .. machine]);
        await using var destination = await QemuProcess.StartAsync(Repository.Path("godwit"), ["run", .. machine, "-incoming", "unix:{folder}/in"]);
        await Heartbeat.WaitForBeatAsync(source, 2);
        File.WriteAllText(folder.File("session"), $"""
            cd {folder.Path}
            trap : INT
            stty cols 250
            stty -g >before
            $GODWIT migrate --qmp {Monitor(source)} unix:{destination.Folder}/in --parameter max-bandwidth=16M --parameter downtime-limit=1
            echo $? >code
            stty -g >after
            """);

        var keys = $"until grep -q 'does not converge: the guest dirties' {folder.File("shown")}; do sleep 0.05; done; printf '\\003'; until [ -s {folder.File("after")} ]; do sleep 0.05; done";
        await GodwitCommand.RunShellAsync($"touch {folder.File("shown")}; ({keys}) | timeout 60 script -qefc 'bash {folder.File("session")}' {folder.File("shown")}");

        var shown = File.ReadAllText(folder.File("shown"));
        Assert.Equal("1\n", File.ReadAllText(folder.File("code")));
        Assert.Matches("━+.* active, round [2-9], [0-9.]+ s", shown);
        Assert.Matches("[0-9.]+ MiB left, [0-9.]+ [KM]iB/s, dirty [0-9.]+ [KMG]iB/s, downtime [0-9]+ ms expected", shown);
        Assert.Contains("first round: all of memory goes over once", shown, StringComparison.Ordinal);
        Assert.Contains("raise max-bandwidth (now 16 MiB/s)", shown, StringComparison.Ordinal);
        var end = shown[shown.LastIndexOf("\e[?25h", StringComparison.Ordinal)..];
        Assert.DoesNotContain("\e[?25l", end, StringComparison.Ordinal);
        Assert.Contains(": cancelled", end, StringComparison.Ordinal);
        Assert.Contains("godwit: cancelled\r\ngodwit: the guest runs on at the source\r\n", end, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(folder.File("before")), File.ReadAllText(folder.File("after")));
        await AssertRunsOnAsync(source);
    }

    [Fact]
    public async Task A_destination_that_is_not_there()
    {
        await using var source = await StartAsync(Guest);

        var result = await GodwitCommand.RunAsync("migrate", "--qmp", $"unix:{Monitor(source)}", $"unix:{source.Folder}/nobody");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("-incoming", result.Errors, StringComparison.Ordinal);
        Assert.Contains("the guest runs on at the source", result.Errors, StringComparison.Ordinal);
        await AssertRunsOnAsync(source);
    }

    [Theory]
    [InlineData("--capability", "nonsense", 1, "knows no capability 'nonsense'; it knows xbzrle")]
    [InlineData("--parameter", "nonsense=1", 1, "nonsense")]
    [InlineData("--parameter", "downtime-limit=99999999", 1, "migrate-set-parameters")]
    [InlineData("--parameter", "downtime-limit=soon", 2, "'soon' is no number")]
    public async Task What_the_machine_does_not_know_is_named(string option, string word, int exitCode, string named)
    {
        await using var source = await StartAsync(Guest);

        var result = await GodwitCommand.RunAsync("migrate", "--qmp", Monitor(source), "tcp:127.0.0.1:1", option, word);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(named, result.Errors, StringComparison.Ordinal);
        await AssertRunsOnAsync(source);
    }

    [Theory]
    [InlineData(2, "migrate", "--qmp", "/x")]
    [InlineData(2, "migrate", "tcp:h:1")]
    [InlineData(2, "migrate", "--qmp", "tcp:nowhere", "tcp:h:1")]
    [InlineData(2, "migrate", "--qmp", "/x", "nowhere")]
    [InlineData(2, "migrate", "--qmp", "/x", "tcp:h:1", "--capability", "a=b")]
    [InlineData(2, "migrate", "--qmp", "/x", "tcp:h:1", "--timeout", "soon")]
    [InlineData(1, "migrate", "--qmp", "/does/not/exist", "tcp:h:1")]
    [InlineData(1, "migrate", "--qmp", "tcp:127.0.0.1:1", "tcp:h:1")]
    public async Task Errors_are_one_line(int exitCode, params string[] arguments)
    {
        var result = await GodwitCommand.RunAsync(arguments);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.StartsWith("godwit: ", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    private static Task<CommandResult> MigrateAsync(QemuProcess source, QemuProcess destination, params string[] more) =>
        GodwitCommand.RunAsync(["migrate", "--qmp", Monitor(source), $"unix:{destination.Folder}/in", .. more]);

    private static async Task<QemuProcess> StartAsync(string guest)
    {
        var source = await QemuProcess.StartAsync(Peers.Path(New), [.. Heartbeat.Machine(guest), "-qmp", "unix:{folder}/second,server=on,wait=off"]);
        await Heartbeat.WaitForBeatAsync(source, 2);
        return source;
    }

    /// <summary>The machine's second monitor: the test itself has the first.</summary>
    private static string Monitor(QemuProcess source) => $"{source.Folder}/second";

    private static async Task AssertRunsOnAsync(QemuProcess source)
    {
        var last = Heartbeat.All(source)[^1].Beat;
        await Heartbeat.WaitForBeatAsync(source, last + 3);
        Assert.Equal("running", await source.Qmp.QueryStatusAsync());
        Assert.All(Heartbeat.All(source), b => Assert.Equal(0, b.Errors));
    }
}
