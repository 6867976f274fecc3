using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest goes by way of a mapped-ram file, each side writing and reading it: by one thread and by several, past the page cache, from an offset on, standing and
/// rewriting pages (every other time with zeros) while they are written.</summary>
public sealed class MappedRamMoveTests
{
    private const string Plain = "mapped-ram";
    private const string Multifd = "mapped-ram,multifd";

    [Theory]
    [InlineData("qemu", Plain, "file", "", false)]
    [InlineData("qemu", Plain, "file", "zero-page-detection=none", true)]
    [InlineData("qemu", Plain, "file-offset", "", false)]
    [InlineData("qemu", Multifd, "file", "multifd-channels=4", false)]
    [InlineData("qemu", Multifd, "file", "multifd-channels=1,zero-page-detection=legacy", true)]
    [InlineData("qemu", Multifd, "file-offset", "multifd-channels=8", true)]
    [InlineData("qemu", Multifd, "file", "multifd-channels=3,direct-io=true", false)]
    [InlineData("qemu", Multifd, "file-offset", "multifd-channels=2,direct-io=true", true)]
    [InlineData("qemu", Plain, "fdset", "", false)]
    [InlineData("qemu", Multifd, "fdset", "multifd-channels=2,direct-io=true", false)]
    [InlineData("qemu", "", "fdset", "", true)]
    [InlineData("godwit", Plain, "file", "", false)]
    [InlineData("godwit", Multifd, "file-offset", "multifd-channels=2,zero-page-detection=legacy", false)]
    [InlineData("godwit", Multifd, "file", "multifd-channels=2,direct-io=true", true)]
    public async Task There_and_back(string other, string capabilities, string transport, string parameters, bool stands)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=zero"), other);
        await guest.LiveOnAsync();
        foreach (var to in new[] { "godwit", other })
        {
            if (stands)
                await guest.Machine.Qmp.ExecuteAsync("stop");
            await guest.MoveAsync(new LiveMove(to, transport, capabilities) { Rounds = !stands, Parameters = parameters, RunState = stands ? "paused" : "running" });
            if (stands)
                await guest.Machine.Qmp.ExecuteAsync("cont");
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
}
