using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest goes by way of a mapped-ram file, each side writing and reading it: by one thread and by several, past the page cache, from an offset on, standing and
/// rewriting pages (every other time with zeros) while they are written.</summary>
public sealed class MappedRamMoveTests
{
    private const string Plain = "mapped-ram";
    private const string Multifd = "mapped-ram,multifd";

    [Theory]
    [InlineData(Plain, "file", "", false)]
    [InlineData(Plain, "file", "zero-page-detection=none", true)]
    [InlineData(Plain, "file-offset", "", false)]
    [InlineData(Plain, "file-offset", "", true)]
    [InlineData(Multifd, "file", "multifd-channels=4", false)]
    [InlineData(Multifd, "file", "multifd-channels=1,zero-page-detection=legacy", true)]
    [InlineData(Multifd, "file-offset", "multifd-channels=8", true)]
    [InlineData(Multifd, "file-offset", "multifd-channels=2,zero-page-detection=legacy", false)]
    [InlineData(Multifd, "file", "multifd-channels=3,direct-io=true", false)]
    [InlineData(Multifd, "file", "multifd-channels=2,direct-io=true", true)]
    [InlineData(Multifd, "file-offset", "multifd-channels=2,direct-io=true", true)]
    [InlineData(Plain, "fdset", "", false)]
    [InlineData(Multifd, "fdset", "multifd-channels=2,direct-io=true", false)]
    [InlineData("", "fdset", "", true)]
    public async Task There_on_and_back(string capabilities, string transport, string parameters, bool stands)
    {
        await using var guest = await StartAsync("qemu");
        foreach (var to in new[] { "godwit", "godwit", "qemu" })
        {
            if (stands)
                await guest.Machine.Qmp.ExecuteAsync("stop");
            await guest.MoveAsync(new LiveMove(to, transport, capabilities) { Rounds = !stands, Parameters = parameters, RunState = stands ? "paused" : "running" });
            if (stands)
                await guest.Machine.Qmp.ExecuteAsync("cont");
            await guest.LiveOnAsync();
        }
    }

    /// <summary>How many threads wrote a file doesn't matter to who reads it.</summary>
    [Theory]
    [InlineData("multifd", "")]
    [InlineData("", "multifd")]
    public async Task Channels_at_one_end_alone(string writer, string reader)
    {
        await using var guest = await StartAsync("qemu");
        foreach (var to in new[] { "godwit", "godwit", "qemu" })
        {
            await guest.MoveAsync(new LiveMove(to, "file", Plain) { Rounds = true, HereOnly = writer, ThereOnly = reader, Parameters = "multifd-channels=3" });
            await guest.LiveOnAsync();
        }
    }

    /// <summary>In such a file EOS has nobody meet, though that is what QEMU is told: it reads a file of Godwit's, and writes one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Flushing_after_each_section_changes_nothing(bool atBoth)
    {
        string[] flushing = ["-global", "migration.multifd-flush-after-each-section=on"];
        await using var guest = await StartAsync("godwit", atBoth ? flushing : []);
        foreach (var to in new[] { "qemu", "godwit" })
        {
            await guest.MoveAsync(new LiveMove(to, "file", Multifd) { Rounds = true, Parameters = "multifd-channels=4", Options = to == "qemu" ? flushing : [] });
            await guest.LiveOnAsync();
        }
    }

    [Fact]
    public async Task A_file_of_QEMU_10_0_is_read()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu-10.0");
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit", "file", Multifd) { Parameters = "multifd-channels=2" });
        await guest.LiveOnAsync();
    }

    private static async Task<LiveGuest> StartAsync(string machine, params string[] more)
    {
        var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=zero"), machine, more);
        try
        {
            await guest.LiveOnAsync();
            return guest;
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }
}
