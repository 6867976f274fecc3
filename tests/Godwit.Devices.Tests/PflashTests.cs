using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class PflashTests
{
    private const ulong Flash = VirtDevices.FlashBase;
    private const ulong Block = 4096, Sector = 256 << 10;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_commands_read_as_in_QEMU(int seed)
    {
        using var both = new SideBySide();
        var random = new Random(seed);
        ulong[] commands = [0, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xd0, 0xe8, 0xf0, 0xff, 0x28, 1, 2, 5];
        ulong[] places = [0, 4, 8, Block - 4, Block, Block + 8, Sector, Sector + Block, (32 << 20) - 8];
        int[] sizes = [1, 2, 4, 4, 8];
        for (var i = 0; i < 4000; i++)
        {
            var size = sizes[random.Next(sizes.Length)];
            var address = Flash + (places[random.Next(places.Length)] & ~((ulong)size - 1));
            if (random.Next(2) == 0)
                both.Read(address, size);
            else
                both.Write(address, size, random.Next(4) == 0 ? (ulong)random.NextInt64() : commands[random.Next(commands.Length)] * 0x0001_0001);
        }
    }

    [Fact]
    public void A_driver_finds_the_chips_and_their_geometry()
    {
        using var both = new SideBySide();
        both.Write(Flash, 4, 0xff00ff);
        both.Write(Flash + 0x55 * 4, 4, 0x980098);
        for (var entry = 0u; entry < 0x60; entry++)
            both.Read(Flash + entry * 4, 4);
        both.Read(Flash + 0x10 * 4, 1);
        both.Read(Flash + 0x10 * 4, 8);
        both.Write(Flash, 4, 0xff00ff);
        both.Write(Flash, 4, 0x900090);
        Assert.Equal(0x890089u, both.Read(Flash, 4));
        Assert.Equal(0x180018u, both.Read(Flash + 4, 4));
        both.Read(Flash + 8, 4);
    }

    [Fact]
    public void A_sector_is_erased_and_written_by_buffer_and_by_word()
    {
        using var both = new SideBySide();
        both.Write(Flash + Sector, 4, 0x200020);
        both.Write(Flash + Sector, 4, 0xd000d0);
        Assert.Equal(0x800080u, both.Read(Flash + Sector, 4));
        both.Write(Flash + Sector, 4, 0xe800e8);
        Assert.Equal(0x800080u, both.Read(Flash + Sector, 4));
        both.Write(Flash + Sector, 4, 0x0f000f);
        for (var word = 0u; word < 16; word++)
            both.Write(Flash + Sector + 4 * word, 4, 0x11111111 * word);
        both.Write(Flash + Sector, 4, 0xd000d0);
        both.Read(Flash + Sector, 4);
        both.Write(Flash + Sector, 4, 0xff00ff);
        for (var word = 0u; word < 20; word++)
            both.Read(Flash + Sector + 4 * word, 4);
        both.Write(Flash + Sector + 128, 4, 0x400040);
        both.Write(Flash + Sector + 128, 4, 0x12345678);
        both.Write(Flash, 4, 0x500050);
        Assert.Equal(0x12345678u, both.Read(Flash + Sector + 128, 4));
    }

    [Fact]
    public void Contents_outlive_a_reset_and_pages_written_are_dirty()
    {
        using var ours = new VirtDevices();
        ours.Write(Flash + 8192, 4, 0x400040);
        ours.Write(Flash + 8192, 4, 0xcafe);
        ours.Flash.Reset();

        Assert.Equal(0xcafeu, ours.Read(Flash + 8192, 4));
        Assert.Equal(0xcau, ours.Read(Flash + 8193, 1));
        Assert.True(ours.Memory.TryLoadDevice(Flash + 8191, 4, out var unaligned));
        Assert.Equal(0xcafe00u, unaligned);
        Assert.False(ours.Memory.TryStoreDevice(Flash + 8191, 4, 0xff));
    }

    [Fact]
    public void A_block_outside_the_flash_is_refused_after_a_load()
    {
        using var ours = new VirtDevices();
        ours.Flash.State.BlkOffset = 32 << 20;
        Assert.Throws<InvalidDataException>(ours.Flash.AfterLoad);
        ours.Flash.State.BlkOffset = 12;
        Assert.Throws<InvalidDataException>(ours.Flash.AfterLoad);
    }
}
