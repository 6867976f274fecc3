using Godwit.Devices.SifiveTest;
using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class SifiveTestTests
{
    [Fact]
    public void The_guest_switches_off_or_resets_or_fails_with_a_code()
    {
        using var ours = new VirtDevices();

        ours.Write(VirtDevices.Test, 4, 0x5555);
        ours.Write(VirtDevices.Test, 4, 0x7777);
        ours.Write(VirtDevices.Test, 4, 0x12343333);
        ours.Write(VirtDevices.Test, 4, 0x1111);
        ours.Write(VirtDevices.Test + 4, 4, 0x5555);
        ours.Write(VirtDevices.Test, 1, 0x55);
        ours.Write(VirtDevices.Test, 2, 0x5555);

        Assert.Equal(
        [
            new PowerEvent(PowerEventKind.Shutdown),
            new PowerEvent(PowerEventKind.Reset),
            new PowerEvent(PowerEventKind.Shutdown, 0x1234, IsFailure: true),
            new PowerEvent(PowerEventKind.Shutdown),
        ], ours.PowerEvents);
        Assert.Equal(0u, ours.Read(VirtDevices.Test, 4));
    }
}
