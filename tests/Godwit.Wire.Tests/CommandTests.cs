using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

public sealed class CommandTests
{
    [Fact]
    public void A_discard_comes_back()
    {
        var discard = new RamDiscard("pc.ram", [(0x1000, 0x2000), (1UL << 40, 4096)]);
        var writer = new WireWriter(new byte[100]);

        Command.WriteRamDiscard(ref writer, discard);
        var read = Command.ReadRamDiscard(writer.Written[Command.HeaderLength..], 0);

        Assert.Equal(discard.BlockName, read.BlockName);
        Assert.Equal(discard.Ranges, read.Ranges);
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 1, 1, 65, 0 })]
    [InlineData(new byte[] { 0, 1, 65, 66 })]
    [InlineData(new byte[] { 0, 9, 65, 0 })]
    [InlineData(new byte[] { 0, 1, 65, 0, 1, 2, 3 })]
    public void A_malformed_discard_is_named(byte[] payload)
    {
        var error = Assert.Throws<MigrationStreamException>(() => Command.ReadRamDiscard(payload, 5));

        Assert.Equal("POSTCOPY_RAM_DISCARD", error.Field);
    }

    [Fact]
    public void A_bitmap_request_comes_back()
    {
        var writer = new WireWriter(new byte[100]);

        Command.WriteRecvBitmap(ref writer, "pc.ram");

        Assert.Equal("pc.ram", Command.ReadRecvBitmap(writer.Written[Command.HeaderLength..], 0));
        Assert.Throws<MigrationStreamException>(() => Command.ReadRecvBitmap([3, 65], 0));
        Assert.Throws<MigrationStreamException>(() => Command.ReadRecvBitmap([], 0));
        Assert.Throws<MigrationStreamException>(() => Command.ReadRecvBitmap([1, 65, 66], 0));
    }

    [Fact]
    public void Advice_without_RAM_is_empty()
    {
        Assert.Null(PostcopyAdvise.Read([]));
        var writer = new WireWriter(new byte[100]);
        new PostcopyAdvise(0x201000, 4096).Write(ref writer);
        Assert.Equal(new PostcopyAdvise(0x201000, 4096), PostcopyAdvise.Read(writer.Written[Command.HeaderLength..]));
    }

    [Fact]
    public void Every_command_has_QEMUs_name()
    {
        foreach (var type in Enum.GetValues<CommandType>())
        {
            Assert.True(type.IsKnown());
            Assert.Equal(type.ToString(), type.QemuName().Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        }
    }
}
