using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>Linux, busy with checksums in user space and asleep between them, never notices. It boots once and makes every move.</summary>
public sealed class LinuxMoveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Linux_moves_between_QEMU_and_Godwit(int harts)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Linux(harts), "qemu");
        await guest.LiveOnAsync();
        LiveMove[] moves =
        [
            new("godwit", "unix", "return-path"),
            new("qemu", "tcp", "return-path"),
            new("godwit", "tcp", "xbzrle"),
            new("godwit", "unix", "return-path,switchover-ack"),
            new("qemu", "file"),
        ];
        foreach (var move in moves)
        {
            await guest.MoveAsync(move);
            await guest.LiveOnAsync();
        }
    }

    /// <summary>QEMU 10.0 leaves armed timers out of its stream, and its own destination mostly never wakes the guest again.</summary>
    [Fact]
    public async Task Linux_of_QEMU_10_0_comes_alive()
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Linux(1), "qemu-10.0");
        await guest.LiveOnAsync();
        await guest.MoveAsync(new LiveMove("godwit"));
        await guest.LiveOnAsync(6);
    }
}
