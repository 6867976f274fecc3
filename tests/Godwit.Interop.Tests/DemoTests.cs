using System.Text.Json.Nodes;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

public sealed class DemoTests
{
    [Fact]
    public async Task The_guest_moves_and_says_so()
    {
        var result = await GodwitCommand.RunAsync("demo");

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Contains("the guest went on without a lost byte", result.Output, StringComparison.Ordinal);
        var beats = result.Output.Split('\n').Where(l => l.StartsWith("   guest> ", StringComparison.Ordinal)).Select(l => Heartbeat.Parse(l["   guest> ".Length..])).OfType<Heartbeat>().ToList();
        Assert.True(beats.Count >= 6, result.Output);
        Assert.Equal(beats.Select(b => b.Beat).Order().Distinct(), beats.Select(b => b.Beat));
        Assert.All(beats, b => Assert.Equal(0, b.Errors));
        foreach (var row in new[] { "total time", "downtime, as the source reports it", "the guest stood, as it saw by the calendar", "rounds over memory", "sent", "pages checked by the guest since" })
            Assert.Contains($"\n  {row} ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_summary_as_JSON()
    {
        var result = await GodwitCommand.RunAsync("demo", "--json");

        Assert.True(result.ExitCode == 0, result.Errors);
        var summary = JsonNode.Parse(result.Output)!;
        Assert.Equal("completed", (string?)summary["status"]);
        Assert.Equal(0, (long)summary["guest-errors"]!);
        Assert.Equal((long)summary["guest-last-beat"]! + 1, (long)summary["guest-first-beat"]!);
        // All of its 256 MiB, at least once, and none of that was zeros.
        Assert.True((long)summary["guest-pages-checked"]! > 65536);
        Assert.True((long)summary["pages-normal"]! > 65536);
        Assert.True((long)summary["rounds"]! >= 2);
        Assert.True((long)summary["transferred"]! > 256 << 20);
        // The guest is stopped before its last pages leave, and lives again only when the other side has them.
        Assert.InRange((double)summary["guest-downtime"]!, 0.001, (double)summary["total-time"]!);
        Assert.InRange((long)summary["downtime"]!, 0, (long)summary["total-time"]!);
        Assert.Contains("guest> heartbeat beat=", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_C_ends_it_and_its_machines()
    {
        using var demo = GodwitCommand.Start("demo");
        await demo.WaitForOutputAsync("guest> heartbeat beat=");
        demo.Signal("INT");
        var result = await demo.WaitAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("godwit: cancelled\n", result.Errors);
    }

    [Theory]
    [InlineData("demo", "--qemu", "qemu-system-riscv64")]
    [InlineData("demo", "now")]
    public async Task Other_words_are_refused(params string[] words)
    {
        var result = await GodwitCommand.RunAsync(words);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("godwit: ", result.Errors, StringComparison.Ordinal);
    }
}
