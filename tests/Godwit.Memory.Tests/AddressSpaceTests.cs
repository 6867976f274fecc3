namespace Godwit.Memory.Tests;

public sealed class AddressSpaceTests : IDisposable
{
    private const ulong Page = GuestPage.Size;

    private readonly AddressSpace _memory = new();
    private readonly RamBlock _ram = RamBlock.Create("test.ram", 16 * Page);

    [Fact]
    public void A_region_is_found_from_its_first_byte_to_its_last()
    {
        var low = _memory.MapRam(0x1000, _ram, 0, Page);
        var device = _memory.MapDevice(0x2000, 8, new RecordingDevice(new AccessSizes(1, 8)));
        var high = _memory.MapRam(0x8000, _ram, Page, 2 * Page);

        Assert.Null(_memory.Find(0));
        Assert.Null(_memory.Find(0xfff));
        Assert.Same(low, _memory.Find(0x1000));
        Assert.Same(low, _memory.Find(0x1fff));
        Assert.Same(device, _memory.Find(0x2000));
        Assert.Same(device, _memory.Find(0x2007));
        Assert.Null(_memory.Find(0x2008));
        Assert.Null(_memory.Find(0x7fff));
        Assert.Same(high, _memory.Find(0x8000));
        Assert.Same(high, _memory.Find(0x9fff));
        Assert.Null(_memory.Find(0xa000));
        Assert.Null(_memory.Find(ulong.MaxValue));
    }

    [Fact]
    public void Regions_stand_in_the_order_of_addresses_whatever_order_they_came_in()
    {
        ulong[] starts = [0x5000, 0x1000, 0x9000, 0x3000, 0x7000];
        foreach (var start in starts)
            _memory.MapRam(start, _ram, 0, Page);

        Assert.Equal(starts.Order(), _memory.Regions.Select(r => r.Start));
        Assert.All(starts, s => Assert.Equal(s, _memory.Find(s + 0x800)!.Start));
    }

    [Theory]
    [InlineData(0x1000, 1)]
    [InlineData(0x1fff, 1)]
    [InlineData(0x0fff, 2)]
    [InlineData(0x1fff, 0x1000)]
    [InlineData(0x0000, 0x10000)]
    [InlineData(0x1800, 0x10)]
    public void Overlaps_are_refused(ulong start, ulong length)
    {
        _memory.MapRam(0x1000, _ram, 0, Page);

        Assert.Throws<ArgumentException>(() => _memory.MapDevice(start, length, new RecordingDevice(new AccessSizes(1, 8))));
        Assert.Single(_memory.Regions);
    }

    [Theory]
    [InlineData(0xffff_ffff_ffff_0000, 0x1_0000, 0xffff_ffff_ffff_f000, 0x1000)]
    [InlineData(0xffff_ffff_ffff_f000, 0x1000, 0xffff_ffff_ffff_0000, 0x1_0000)]
    [InlineData(0xffff_ffff_ffff_f000, 0x1000, 0xffff_ffff_ffff_ffff, 1)]
    [InlineData(0xffff_ffff_ffff_f000, 0x1000, 0x1000, 0xffff_ffff_ffff_f000)]
    public void Overlaps_at_the_end_of_the_space_are_refused_too(ulong start, ulong length, ulong second, ulong secondLength)
    {
        var device = new RecordingDevice(new AccessSizes(1, 8));
        var region = _memory.MapDevice(start, length, device);

        Assert.Throws<ArgumentException>(() => _memory.MapDevice(second, secondLength, device));
        Assert.Same(region, _memory.Find(ulong.MaxValue));
    }

    [Fact]
    public void A_range_that_is_empty_or_passes_the_end_of_the_space_is_refused()
    {
        var device = new RecordingDevice(new AccessSizes(1, 8));

        Assert.Throws<ArgumentException>(() => _memory.MapDevice(0x1000, 0, device));
        Assert.Throws<ArgumentException>(() => _memory.MapDevice(0xffff_ffff_ffff_f000, 0x1001, device));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 17)]
    [InlineData(16, 1)]
    [InlineData(15, 2)]
    [InlineData(ulong.MaxValue / Page, 2)]
    public void A_part_that_the_block_does_not_have_is_refused(ulong page, ulong pages) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _memory.MapRam(0, _ram, page * Page, pages * Page));

    [Fact]
    public void Bytes_are_read_and_written_across_neighbouring_regions()
    {
        // Neighbours in the space lie apart in the block.
        _memory.MapRam(0x1000, _ram, 5 * Page, Page);
        _memory.MapRam(0x2000, _ram, 2 * Page, Page);
        var bytes = Enumerable.Range(1, 200).Select(n => (byte)n).ToArray();

        Assert.True(_memory.TryWrite(0x1f9c, bytes));

        Assert.Equal(bytes[..100], _ram.Read(6 * Page - 100, 100).ToArray());
        Assert.Equal(bytes[100..], _ram.Read(2 * Page, 100).ToArray());
        var read = new byte[200];
        Assert.True(_memory.TryRead(0x1f9c, read));
        Assert.Equal(bytes, read);
        Assert.Equal([2, 5], DirtyPages());
    }

    [Fact]
    public void Bytes_that_are_not_all_RAM_are_neither_read_nor_written()
    {
        _memory.MapRam(0x1000, _ram, 0, Page);
        _memory.MapDevice(0x2000, Page, new RecordingDevice(new AccessSizes(1, 8)));

        Assert.False(_memory.TryRead(0x1ffc, new byte[8]));
        Assert.False(_memory.TryWrite(0x1ffc, new byte[8]));
        Assert.False(_memory.TryRead(0x0fff, new byte[2]));
        Assert.False(_memory.TryWrite(0x2000, new byte[1]));
        Assert.True(_memory.TryRead(0x1ff8, new byte[8]));
        Assert.True(_memory.TryRead(0x7000, []));
    }

    [Fact]
    public void Nothing_goes_round_from_the_end_of_the_space_to_its_start()
    {
        _memory.MapRam(0xffff_ffff_ffff_f000, _ram, 0, Page);
        _memory.MapRam(0, _ram, Page, Page);

        Assert.True(_memory.TryWrite(0xffff_ffff_ffff_fff8, new byte[8]));
        Assert.False(_memory.TryWrite(0xffff_ffff_ffff_fff8, new byte[9]));
        Assert.False(_memory.TryRead(0xffff_ffff_ffff_fff8, new byte[9]));
    }

    [Fact]
    public void ROM_is_read_and_never_written()
    {
        _ram.Write(0, 1)[0] = 7;
        _ram.Dirty.Take(0);
        var region = _memory.MapRam(0x1000, _ram, 0, Page, readOnly: true);
        var one = new byte[1];

        Assert.False(_memory.TryWrite(0x1000, [9]));
        Assert.True(_memory.TryRead(0x1000, one));
        Assert.Equal(7, one[0]);
        Assert.True(region.IsReadOnly);
        Assert.Equal(0, _ram.Dirty.Count());
    }

    [Fact]
    public void Device_accesses_have_to_be_inside_the_region()
    {
        var device = new RecordingDevice(new AccessSizes(1, 8, 1, 8));
        _memory.MapDevice(0x1000, 12, device);

        Assert.True(_memory.TryLoadDevice(0x1008, 4, out _));
        Assert.False(_memory.TryLoadDevice(0x1008, 8, out _));
        Assert.False(_memory.TryStoreDevice(0x1008, 8, 1));
        Assert.False(_memory.TryLoadDevice(0x0fff, 1, out _));
        Assert.False(_memory.TryStoreDevice(0x100c, 1, 1));
        _memory.MapRam(0x2000, _ram, 0, Page);
        Assert.False(_memory.TryLoadDevice(0x2000, 4, out _));
        Assert.Equal(["read 8:4"], device.Calls);
    }

    [Fact]
    public void Words_of_RAM_have_to_be_aligned_and_inside()
    {
        var region = _memory.MapRam(0x1000, _ram, Page, Page);
        Assert.True(_memory.TryWrite(0x1ff8, [1, 2, 3, 4, 5, 6, 7, 8]));

        Assert.Equal(0x0807060504030201UL, region.Load64(0x1ff8));
        Assert.Equal(0x08070605U, region.Load32(0x1ffc));
        foreach (var address in new ulong[] { 0xff8, 0x1ffc, 0x1ff4, 0x2000, ulong.MaxValue, ulong.MaxValue - 7 })
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Load64(address));
        foreach (var address in new ulong[] { 0xffc, 0x1ffe, 0x2000 })
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Load32(address));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.CompareExchange64(0x2000, 0, 0));
        var device = _memory.MapDevice(0x3000, 8, new RecordingDevice(new AccessSizes(1, 8)));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Load64(0x3000));
    }

    [Fact]
    public void A_word_is_exchanged_only_if_it_is_what_was_expected()
    {
        var region = _memory.MapRam(0x1000, _ram, 3 * Page, Page);

        Assert.True(region.CompareExchange64(0x1010, 0, 5));
        Assert.False(region.CompareExchange64(0x1010, 0, 6));
        Assert.Equal(5UL, region.Load64(0x1010));
        Assert.Equal([3], DirtyPages());
    }

    public void Dispose() => _ram.Dispose();

    private int[] DirtyPages() => [.. Enumerable.Range(0, 16).Where(p => _ram.Dirty[p])];
}
