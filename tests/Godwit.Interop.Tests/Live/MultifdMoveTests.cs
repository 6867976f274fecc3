using System.Text.Json;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest's pages go over channels of their own: so many channels, with each compression and each way to find zero pages, in each direction.</summary>
public sealed class MultifdMoveTests
{
    public static TheoryData<string, int, string> Ways
    {
        get
        {
            var ways = new TheoryData<string, int, string>();
            foreach (var other in new[] { "qemu", "godwit" })
            {
                foreach (var channels in new[] { 1, 2, 8 })
                {
                    foreach (var compression in new[] { "none", "zlib", "zstd" })
                        ways.Add(other, channels, compression);
                }
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task There_and_back(string other, int channels, string compression)
    {
        // With two channels pages become zero and something again.
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat($"pages=2k rate=20k pattern={(channels == 2 ? "zero" : "random")}"), other);
        await guest.LiveOnAsync();
        foreach (var zeros in new[] { "none", "legacy", "multifd" })
        {
            foreach (var (to, transport) in other == "qemu" ? [("godwit", "unix"), (other, "tcp")] : new[] { (other, "tcp") })
            {
                var bytes = 0L;
                await guest.MoveAsync(Move(to, transport, channels, compression, zeros, i => bytes = i.GetProperty("ram").GetProperty("multifd-bytes").GetInt64()));
                await guest.LiveOnAsync();
                Assert.InRange(bytes, 1 << 16, long.MaxValue);
            }
        }
    }

    [Fact]
    public async Task A_guest_of_QEMU_10_0_lives_on()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu-10.0");
        await guest.LiveOnAsync();
        await guest.MoveAsync(Move("godwit", "unix", 4, "none", "multifd", static _ => { }));
        await guest.LiveOnAsync();
    }

    [Fact]
    public async Task A_guest_that_came_without_channels_goes_on_with_them()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat(), "qemu");
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit", Capabilities: "return-path"));
        await guest.MoveAsync(Move("qemu", "unix", 2, "none", "multifd", static _ => { }));
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
