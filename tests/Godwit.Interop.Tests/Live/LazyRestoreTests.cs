using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest that starts before its memory is read (mapped-ram with postcopy-ram at the destination).</summary>
public sealed class LazyRestoreTests
{
    private const string Slow = "max-postcopy-bandwidth=2097152,multifd-channels=4";
    private const string Plain = "mapped-ram";
    private const string Multifd = "mapped-ram,multifd";

    [Theory]
    [InlineData("qemu", Plain, "file", "")]
    [InlineData("qemu", Multifd, "file-offset", "multifd-channels=4")]
    [InlineData("godwit", Multifd, "file", "multifd-channels=2,direct-io=true")]
    [InlineData("godwit", Multifd, "fdset", "multifd-channels=2,direct-io=true")]
    public async Task It_runs_and_nothing_is_missing(string from, string capabilities, string transport, string parameters)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=zero"), from);
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit", transport, capabilities) { Rounds = true, Parameters = parameters, ThereOnly = "postcopy-ram" });
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("qemu", Capabilities: "return-path"));
        await guest.LiveOnAsync();
    }

    /// <summary>The rest is still being read when it goes on, by one thread or by several.</summary>
    [Theory]
    [InlineData(Plain)]
    [InlineData(Multifd)]
    public async Task It_lives_and_moves_on_while_pages_come(string capabilities)
    {
        await using var guest = await ArriveAsync(capabilities, async (guest, machine) =>
        {
            Assert.Equal("running", await machine.Qmp.QueryStatusAsync());
            await guest.LiveOnAsync();
            Assert.Equal("postcopy-active", (await machine.Qmp.QueryMigrateAsync()).GetProperty("status").GetString());
        });
        await guest.MoveAsync(new LiveMove("qemu", Capabilities: "return-path"));
        await guest.LiveOnAsync();
    }

    /// <summary>What was read stays; what wasn't could be anything now: the guest stands, and doesn't go on.</summary>
    [Theory]
    [InlineData("cut", Plain)]
    [InlineData("cut", Multifd)]
    [InlineData("written", Plain)]
    [InlineData("written", Multifd)]
    public async Task A_file_that_is_changed_under_it_ends_it(string how, string capabilities)
    {
        await using var guest = await ArriveAsync(capabilities, async (guest, machine) =>
        {
            using (var file = new FileStream(Path.Combine(machine.Folder, "stream"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                if (how == "cut")
                    file.SetLength(file.Length / 2);
                else
                    file.Write([1, 2, 3]);
            }

            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await LiveGuest.WaitForRunStateAsync(machine, "io-error", limit.Token);
            var info = await machine.Qmp.WaitForMigrationAsync(limit.Token);
            Assert.Equal("failed", info.GetProperty("status").GetString());
            Assert.Contains("stream was changed while a guest was being restored from it", info.GetProperty("error-desc").GetString(), StringComparison.Ordinal);
            var refused = await Assert.ThrowsAsync<QmpException>(() => machine.Qmp.ExecuteAsync("cont", new JsonObject()));
            Assert.Contains("memory is lost", refused.Message, StringComparison.Ordinal);
            guest.RequireSound();
        });
    }

    [Fact]
    public async Task A_file_that_is_deleted_is_still_read()
    {
        await using var guest = await ArriveAsync(Plain, async (_, machine) =>
        {
            File.Delete(Path.Combine(machine.Folder, "stream"));
            await machine.Qmp.SetParametersAsync(new JsonObject { ["max-postcopy-bandwidth"] = 0 });
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            Assert.Equal("completed", (await machine.Qmp.WaitForMigrationAsync(limit.Token)).GetProperty("status").GetString());
        });
        await guest.LiveOnAsync();
    }

    /// <summary>A guest that runs at Godwit, most of its memory in the file yet.</summary>
    private static async Task<LiveGuest> ArriveAsync(string capabilities, Func<LiveGuest, QemuProcess, Task> arriving)
    {
        var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=8k rate=2k pattern=random"), "qemu");
        try
        {
            await guest.LiveOnAsync();
            await guest.MoveAsync(new LiveMove("godwit", "file", capabilities) { Parameters = Slow, ThereOnly = "postcopy-ram", Arriving = machine => arriving(guest, machine) });
            return guest;
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }
}
