using System.Text.Json;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest's pages go over channels of their own: every number of channels, compression and way to find zero pages, in each direction at least once.</summary>
public sealed class MultifdMoveTests
{
    [Theory]
    [InlineData("qemu", 1, "none", "multifd", 8, "zstd", "legacy")]
    [InlineData("qemu", 2, "zlib", "none", 1, "none", "legacy")]
    [InlineData("qemu", 8, "zstd", "legacy", 2, "none", "multifd")]
    [InlineData("qemu", 2, "none", "legacy", 2, "zlib", "multifd")]
    [InlineData("qemu", 1, "zstd", "multifd", 8, "none", "none")]
    [InlineData("qemu", 8, "none", "none", 1, "zlib", "none")]
    [InlineData("godwit", 1, "none", "none", 8, "zlib", "legacy")]
    [InlineData("godwit", 2, "zstd", "multifd", 1, "none", "multifd")]
    public async Task There_and_back(string other, int there, string thereBy, string thereZeros, int back, string backBy, string backZeros)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=random"), other);
        await guest.LiveOnAsync();
        var bytes = 0L;
        await guest.MoveAsync(Move("godwit", "unix", there, thereBy, thereZeros, i => bytes = i.GetProperty("ram").GetProperty("multifd-bytes").GetInt64()));
        await guest.LiveOnAsync();
        Assert.InRange(bytes, 1 << 20, long.MaxValue);
        await guest.MoveAsync(Move(other, "tcp", back, backBy, backZeros, i => bytes = i.GetProperty("ram").GetProperty("multifd-bytes").GetInt64()));
        await guest.LiveOnAsync();
        Assert.InRange(bytes, 1 << 20, long.MaxValue);
    }

    [Fact]
    public async Task A_guest_of_QEMU_10_0_lives_on()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu-10.0");
        await guest.LiveOnAsync();
        await guest.MoveAsync(Move("godwit", "unix", 4, "none", "multifd", static _ => { }));
        await guest.LiveOnAsync();
    }

    /// <summary>Over loopback the kernel copies after all, and says so.</summary>
    [Theory]
    [InlineData("godwit", "qemu")]
    [InlineData("qemu", "godwit")]
    public async Task Pages_go_without_a_copy_where_the_kernel_can(string from, string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=2k rate=20k pattern=random"), from);
        await guest.LiveOnAsync();
        var missed = 0L;
        await guest.MoveAsync(Move(to, "tcp", 2, "none", "multifd", i => missed = i.GetProperty("ram").GetProperty("dirty-sync-missed-zero-copy").GetInt64(), "multifd,zero-copy-send,return-path"));
        await guest.LiveOnAsync();
        Assert.InRange(missed, 1, long.MaxValue);
    }

    private static LiveMove Move(string to, string transport, int channels, string compression, string zeros, Action<JsonElement> completed, string capabilities = "multifd,return-path") =>
        new(to, transport, capabilities)
        {
            Rounds = true,
            Parameters = $"multifd-channels={channels},multifd-compression={compression},zero-page-detection={zeros}",
            Completed = completed,
        };
}
