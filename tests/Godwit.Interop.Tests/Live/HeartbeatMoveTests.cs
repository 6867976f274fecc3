using System.Text.Json;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest that rewrites its memory all the while, and checks all of it, moves live between machines that run.</summary>
public sealed class HeartbeatMoveTests
{
    public static TheoryData<string, string> Pairs => new() { { "qemu", "godwit" }, { "godwit", "qemu" }, { "godwit", "godwit" } };

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task The_guest_lives_on(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from);
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove(to));
        await guest.LiveOnAsync();
    }

    /// <summary>The same guest goes there and back, by every transport and with every capability.</summary>
    [Theory]
    [InlineData("qemu", "tcp", "", "file", "")]
    [InlineData("qemu", "exec", "", "tcp", "return-path")]
    [InlineData("qemu", "unix", "xbzrle", "exec", "xbzrle")]
    [InlineData("qemu", "file", "", "unix", "return-path,xbzrle")]
    [InlineData("qemu", "unix", "auto-converge,events", "unix", "auto-converge,events")]
    [InlineData("qemu", "tcp", "return-path,pause-before-switchover", "tcp", "return-path,pause-before-switchover")]
    [InlineData("qemu", "unix", "return-path,switchover-ack", "unix", "return-path,switchover-ack")]
    [InlineData("qemu", "unix", "validate-uuid,late-block-activate", "unix", "validate-uuid,return-path,late-block-activate")]
    [InlineData("godwit", "tcp", "return-path,xbzrle,auto-converge,events,switchover-ack,validate-uuid,pause-before-switchover", "exec", "xbzrle")]
    public async Task There_and_back(string other, string there, string thereWith, string back, string backWith)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=sparse"), other);
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit", there, thereWith) { Rounds = true });
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove(other, back, backWith) { Rounds = true });
        await guest.LiveOnAsync();
    }

    [Fact]
    public async Task Ten_times_there_and_back()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=1k rate=max pattern=random"), "qemu");
        await guest.LiveOnAsync();
        for (var i = 0; i < 10; i++)
        {
            await guest.MoveAsync(new LiveMove("godwit"));
            await guest.LiveOnAsync(2);
            await guest.MoveAsync(new LiveMove("qemu"));
            await guest.LiveOnAsync(2);
        }
    }

    /// <summary>QEMU 10.0 writes older versions of the sections.</summary>
    [Fact]
    public async Task A_guest_of_QEMU_10_0_lives_on()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu-10.0");
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit", "tcp", "return-path"));
        await guest.LiveOnAsync();
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Shared_memory_stays_where_it_is(string from, string to)
    {
        using var folder = new TemporaryFolder();
        string[] shared = ["-M", "virt,memory-backend=m", "-object", $"memory-backend-file,id=m,mem-path={folder.File("ram")},size=64M,share=on"];
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), from, shared);
        await guest.LiveOnAsync();
        var bytes = long.MaxValue;
        await guest.MoveAsync(new LiveMove(to, Capabilities: "x-ignore-shared,return-path") { Completed = i => bytes = i.GetProperty("ram").GetProperty("transferred").GetInt64() });
        await guest.LiveOnAsync();
        Assert.InRange(bytes, 1, 4 << 20);
    }

    /// <summary>The guest changes one word of each page, over and over, faster than its pages go: they go as changes, and are put right there.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Pages_that_changed_little_go_as_changes(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=max pattern=sparse"), from);
        await guest.LiveOnAsync();
        var cache = (Pages: 0L, Bytes: 0L);
        await guest.MoveAsync(new LiveMove(to, Capabilities: "xbzrle,return-path")
        {
            Rounds = true,
            // It may have become so little that the switchover came at once.
            Enough = i => Cache(i).Pages > 0 || i.GetProperty("status").GetString() is "device" or "completed",
            Completed = i => cache = Cache(i),
        });
        await guest.LiveOnAsync();
        Assert.InRange(cache.Pages, 100, long.MaxValue);
        Assert.InRange(cache.Bytes, 1, cache.Pages * 1024);
    }

    private static (long Pages, long Bytes) Cache(JsonElement info) =>
        info.TryGetProperty("xbzrle-cache", out var cache) ? (cache.GetProperty("pages").GetInt64(), cache.GetProperty("bytes").GetInt64()) : default;
}
