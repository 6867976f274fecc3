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
