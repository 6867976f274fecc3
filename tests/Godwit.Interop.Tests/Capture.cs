using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>Ends a running machine's migration in a file, by the command.</summary>
internal static class Capture
{
    /// <param name="scheme">How it comes: <c>unix</c>, <c>tcp</c>, <c>exec</c> (QEMU pipes it into the command) or <c>file</c> (QEMU writes, the command reads).</param>
    public static async Task IntoFileAsync(QemuProcess source, string scheme, TemporaryFolder folder, string file)
    {
        if (scheme is "exec" or "file")
        {
            var raw = folder.File("raw.stream");
            await source.Qmp.MigrateAsync(scheme == "file" ? $"file:{raw}" : $"exec:cat >{raw}");
            await SpeedUpAsync(source);
            await AssertCompletedAsync(source);
            var command = scheme == "file" ? $"file:{raw}" : $"exec:cat {raw}";
            AssertDone(await GodwitCommand.RunAsync("receive", command, "-o", file, "--json"));
            File.Delete(raw);
            return;
        }

        using var receive = GodwitCommand.Start("receive", scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{folder.File("in")}", "-o", file, "--json");
        await receive.WaitForErrorAsync("waiting for a migration on ");
        await source.Qmp.MigrateAsync(scheme == "tcp" ? await receive.AddressAsync() : $"unix:{folder.File("in")}");
        await SpeedUpAsync(source);
        AssertDone(await receive.WaitAsync());
        await AssertCompletedAsync(source);
    }

    /// <summary>Over a unix socket, with these capabilities and no others.</summary>
    /// <param name="options">The command's, besides.</param>
    /// <returns>The command's summary.</returns>
    public static async Task<JsonNode> ReceiveAsync(QemuProcess source, TemporaryFolder folder, string file, string[] capabilities, params string[] options)
    {
        await source.Qmp.SetCapabilitiesAsync(capabilities);
        using var receive = GodwitCommand.Start(["receive", $"unix:{folder.File("in")}", "-o", file, "--json", .. options]);
        await receive.WaitForErrorAsync("waiting for a migration on ");
        await source.Qmp.MigrateAsync($"unix:{folder.File("in")}");
        await SpeedUpAsync(source);
        var result = await receive.WaitAsync();
        Assert.True(result.ExitCode == 0, result.Errors + source.Errors);
        await AssertCompletedAsync(source);
        return JsonNode.Parse(result.Output)!;
    }

    /// <summary>A guest goes on where the file has it, and has lost nothing.</summary>
    /// <param name="machine">The options of a QEMU that loads the file.</param>
    public static async Task AssertLivesOnAsync(QemuProcess source, string qemu, string[] machine)
    {
        var before = Heartbeat.All(source)[^1];
        var begun = source.SerialText.Split('\n')[^1];
        await using var destination = await QemuProcess.StartAsync(Peers.Path(qemu), machine);
        await Heartbeat.WaitForBeatAsync(destination, before.Beat + 4);
        var after = Heartbeat.All(destination, begun);
        Assert.Equal(before.Beat + 1, after[0].Beat);
        Assert.All(after, b => Assert.Equal(0, b.Errors));
    }

    /// <summary>So little bandwidth that the guest rewrites what was sent; <see cref="SpeedUpAsync"/> gives it back.</summary>
    public static Task SlowDownAsync(QemuProcess source) =>
        source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 30L << 20, ["downtime-limit"] = 1 });

    /// <summary>Lets the source come to an end, once it has gone a few rounds.</summary>
    public static async Task SpeedUpAsync(QemuProcess source)
    {
        await Task.Delay(400);
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
    }

    public static async Task AssertCompletedAsync(QemuProcess source)
    {
        var info = await source.Qmp.WaitForMigrationAsync();
        Assert.True(info.GetProperty("status").GetString() == "completed", info.ToString());
        Assert.Equal("postmigrate", await source.Qmp.QueryStatusAsync());
    }

    private static void AssertDone(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Equal("description", (string?)JsonNode.Parse(result.Output)!["end-proof"]);
    }
}
