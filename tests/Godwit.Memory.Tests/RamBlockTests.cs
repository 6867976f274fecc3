using Godwit.Linux;

namespace Godwit.Memory.Tests;

public sealed class RamBlockTests
{
    private const ulong Length = 3 * GuestPage.Size;

    [Fact]
    public void Memory_starts_as_zeros_and_holds_what_is_written()
    {
        using var ram = RamBlock.Create("test.ram", Length);
        Assert.False(ram.Read(0, (int)Length).ContainsAnyExcept((byte)0));

        ram.Write(4095, 2).Fill(7);

        Assert.Equal([0, 7, 7, 0], ram.Read(4094, 4).ToArray());
        Assert.Equal((true, true, false), (ram.Dirty[0], ram.Dirty[1], ram.Dirty[2]));
        Assert.Equal("test.ram", ram.IdStr);
        Assert.Equal(Length, ram.Length);
    }

    [Theory]
    [InlineData(Length, 1)]
    [InlineData(Length + 1, 0)]
    [InlineData(Length - 1, 2)]
    [InlineData(0, (int)Length + 1)]
    [InlineData(0, -1)]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(ulong.MaxValue - 3, 4)]
    [InlineData(1, int.MaxValue)]
    public void Nothing_outside_is_read_or_written(ulong offset, int length)
    {
        using var ram = RamBlock.Create("test.ram", Length);

        Assert.Throws<ArgumentOutOfRangeException>(() => ram.Read(offset, length).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => ram.Write(offset, length).Length);
        Assert.Equal(0, ram.Dirty.Count());
    }

    [Fact]
    public void The_last_byte_and_no_bytes_at_the_end_are_inside()
    {
        using var ram = RamBlock.Create("test.ram", Length);

        Assert.Equal(1, ram.Read(Length - 1, 1).Length);
        Assert.Equal(0, ram.Read(Length, 0).Length);
        Assert.Equal(0, ram.Write(Length, 0).Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4097)]
    public void Memory_is_whole_pages(ulong length)
    {
        using var mapping = MemoryMapping.CreateMemfd("odd", length);

        Assert.Contains("no whole pages", Assert.Throws<ArgumentException>(() => new RamBlock("odd", mapping)).Message, StringComparison.Ordinal);
    }
}
