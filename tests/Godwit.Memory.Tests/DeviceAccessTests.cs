namespace Godwit.Memory.Tests;

/// <summary>As QEMU fits accesses to devices: docs/devel/memory.rst, "MMIO Operations".</summary>
public sealed class DeviceAccessTests
{
    [Theory]
    [InlineData(1, 0x10, "read 0:1")]
    [InlineData(2, 0x1110, "read 0:2")]
    [InlineData(4, 0x13121110, "read 0:4")]
    [InlineData(8, 0x1716151413121110, "read 0:4;read 4:4")]
    public void A_read_that_is_too_wide_is_split(int size, ulong expected, string calls)
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 1, 4));

        Assert.True(DeviceAccess.TryRead(device, 0, size, out var value));
        Assert.Equal(expected, value);
        Assert.Equal(calls, string.Join(';', device.Calls));
    }

    [Theory]
    [InlineData(1, 0x10, "read 0:4")]
    [InlineData(2, 0x1110, "read 0:4")]
    [InlineData(4, 0x13121110, "read 0:4")]
    [InlineData(8, 0x1716151413121110, "read 0:8")]
    public void A_read_that_is_too_narrow_is_served_by_a_wider_one(int size, ulong expected, string calls)
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 4, 8));

        Assert.True(DeviceAccess.TryRead(device, 0, size, out var value));
        Assert.Equal(expected, value);
        Assert.Equal(calls, string.Join(';', device.Calls));
    }

    [Fact]
    public void A_register_a_byte_apart_gets_each_byte_of_a_wide_access()
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 1, 1));

        Assert.True(DeviceAccess.TryRead(device, 2, 2, out var value));
        Assert.True(DeviceAccess.TryWrite(device, 4, 4, 0xffff_ffff_4433_2211));

        Assert.Equal(0x1312UL, value);
        Assert.Equal(["read 2:1", "read 3:1", "write 4:1=11", "write 5:1=22", "write 6:1=33", "write 7:1=44"], device.Calls);
    }

    [Fact]
    public void A_write_carries_only_its_own_bytes()
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 1, 4));

        Assert.True(DeviceAccess.TryWrite(device, 0, 1, ulong.MaxValue));
        Assert.True(DeviceAccess.TryWrite(device, 0, 8, 0x8877665544332211));
        Assert.True(DeviceAccess.TryWrite(new RecordingDevice(new AccessSizes(1, 8, 4, 4)), 0, 1, 0x1ff));

        Assert.Equal(["write 0:1=ff", "write 0:4=44332211", "write 4:4=88776655"], device.Calls);
    }

    [Theory]
    [InlineData(2, 4, 1, false)]
    [InlineData(2, 4, 2, true)]
    [InlineData(2, 4, 4, true)]
    [InlineData(2, 4, 8, false)]
    [InlineData(4, 4, 2, false)]
    [InlineData(8, 8, 8, true)]
    public void Sizes_that_are_not_valid_are_refused(int min, int max, int size, bool taken)
    {
        var device = new RecordingDevice(new AccessSizes(min, max, 1, 8));

        Assert.Equal(taken, DeviceAccess.TryRead(device, 0, size, out _));
        Assert.Equal(taken, DeviceAccess.TryWrite(device, 0, size, 0));
        Assert.Equal(taken ? 2 : 0, device.Calls.Count);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(4, 8)]
    [InlineData(7, 2)]
    public void A_misaligned_access_is_for_devices_that_take_it(ulong offset, int size)
    {
        Assert.False(DeviceAccess.TryRead(new RecordingDevice(new AccessSizes(1, 8, 1, 8)), offset, size, out _));
        Assert.True(DeviceAccess.TryRead(new RecordingDevice(new AccessSizes(1, 8, 1, 8, Unaligned: true)), offset, size, out _));
    }

    [Fact]
    public void The_device_itself_may_refuse()
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 1, 8)) { Taken = (offset, size, isWrite) => offset == 8 && size == 4 && isWrite };

        Assert.True(DeviceAccess.TryWrite(device, 8, 4, 1));
        Assert.False(DeviceAccess.TryRead(device, 8, 4, out _));
        Assert.False(DeviceAccess.TryWrite(device, 8, 2, 1));
        Assert.False(DeviceAccess.TryWrite(device, 0, 4, 1));
        Assert.Equal(["write 8:4=1"], device.Calls);
    }
}
