using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class VirtioMmioTests
{
    [Fact]
    public void Empty_slots_read_as_in_QEMU()
    {
        using var both = new SideBySide();
        for (var slot = 0u; slot < 8; slot++)
        {
            Assert.Equal(0x74726976u, both.Read(VirtDevices.VirtioBase + slot * 0x1000, 4));
            both.Play((int)slot, 400, VirtDevices.VirtioBase + slot * 0x1000, [.. Enumerable.Range(0, 0x220 / 4).Select(i => (ulong)(4 * i))], [1, 2, 4, 8]);
        }
    }
}
