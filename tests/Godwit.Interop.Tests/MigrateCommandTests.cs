using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary><c>godwit migrate</c> as the monitor's client of real QEMUs.</summary>
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
