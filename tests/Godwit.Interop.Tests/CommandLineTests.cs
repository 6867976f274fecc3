using System.Text.Json.Nodes;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>The command as scripts see it: exit codes, JSON, and one clear line for each error.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("receive", "tcp:nowhere", "-o", "x")]
    [InlineData("receive", "rdma:host:1", "-o", "x")]
    [InlineData("receive", "unix:/tmp/x")]
    [InlineData("analyze")]
    [InlineData("analyze", "x", "--page-size", "5000")]
    [InlineData("analyze", "x", "--page-size", "many")]
    [InlineData("nonsense")]
    [InlineData("send", "x", "fd:many")]
    public async Task A_wrong_command_line_ends_with_2(params string[] arguments)
    {
        var result = await GodwitCommand.RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("godwit: ", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("analyze", "/does/not/exist")]
    [InlineData("verify", "/does/not/exist")]
    [InlineData("verify", "")]
    [InlineData("receive", "fd:99", "-o", "/tmp/x")]
    [InlineData("receive", "file:/dev/null", "-o", "/dev/null")]
    [InlineData("send", "/does/not/exist", "tcp:127.0.0.1:1")]
    [InlineData("receive", "unix:/does/not/exist", "-o", "/tmp/x")]
    [InlineData("receive", "file:/does/not/exist", "-o", "/tmp/x")]
    public async Task A_failed_operation_ends_with_1(params string[] arguments)
    {
        var result = await GodwitCommand.RunAsync(arguments);

        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.Errors.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_broken_file_is_shown_up_to_the_break()
    {
        using var folder = new TemporaryFolder();
        var stream = Golden.Stream("pc-10.0");
        File.WriteAllBytes(folder.File("cut"), stream[..50000]);

        var analyze = await GodwitCommand.RunAsync("analyze", folder.File("cut"));
        var verify = await GodwitCommand.RunAsync("verify", folder.File("cut"));
        var json = await GodwitCommand.RunAsync("analyze", folder.File("cut"), "--json");

        Assert.Equal((1, 1, 1), (analyze.ExitCode, verify.ExitCode, json.ExitCode));
        Assert.Contains("pc.ram", analyze.Output, StringComparison.Ordinal);
        Assert.Contains("the stream breaks at byte 50000", analyze.Errors, StringComparison.Ordinal);
        Assert.Equal(50000, (long)JsonNode.Parse(json.Output)!["break"]!["offset"]!);
    }

    /// <summary>Progress runs on a terminal only, and a failure must come through it as it does without.</summary>
    [Fact]
    public async Task A_failure_on_a_terminal_is_one_line_too()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("cut"), Golden.Stream("pc-10.0")[..50000]);

        var result = await GodwitCommand.RunShellAsync($"script -qec \"$GODWIT receive file:{folder.File("cut")} -o {folder.File("out")}\" /dev/null");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("godwit: at byte 50000", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Output, StringComparison.Ordinal);
        Assert.Equal(["cut"], folder.Names);
    }

    [Fact]
    public async Task Json_has_every_device_with_its_fields()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("s"), Golden.Stream("pc-10.0"));

        var json = JsonNode.Parse((await GodwitCommand.RunAsync("analyze", folder.File("s"), "--json")).Output)!;

        var sections = json["sections"]!.AsArray();
        Assert.Equal("pc-i440fx-10.0", (string?)json["machine"]);
        Assert.Equal(31, sections.Count);
        Assert.All(sections.Where(s => (string?)s!["kind"] == "device"), s => Assert.NotNull(s!["fields"]));
        var device = await GodwitCommand.RunAsync("analyze", folder.File("s"), "--device", "i8254");
        Assert.Contains("channels[0]", device.Output, StringComparison.Ordinal);
        Assert.Contains("count_latched", device.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await GodwitCommand.RunAsync("analyze", folder.File("s"), "--device", "nothing")).ExitCode);
    }
}
