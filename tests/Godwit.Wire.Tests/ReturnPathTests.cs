using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

public sealed class ReturnPathTests
{
    public static TheoryData<string> Returns => [.. Golden.Returns];

    public static TheoryData<ReturnPathMessage> Messages =>
    [
        new ReturnPathMessage(ReturnPathType.Shut, Value: 0),
        new ReturnPathMessage(ReturnPathType.Shut, Value: 1),
        new ReturnPathMessage(ReturnPathType.Pong, Value: 0xdeadbeef),
        new ReturnPathMessage(ReturnPathType.RequestPages, Start: 0x123456789000, Length: 4096),
        new ReturnPathMessage(ReturnPathType.RequestPagesId, Start: 0x1000, Length: 2 << 20, BlockName: "pc.ram"),
        new ReturnPathMessage(ReturnPathType.RequestPagesId, Start: 0x1000, Length: 4096, BlockName: new string('x', 255)),
        new ReturnPathMessage(ReturnPathType.RecvBitmap, BlockName: "pc.ram"),
        new ReturnPathMessage(ReturnPathType.ResumeAck, Value: 1),
        new ReturnPathMessage(ReturnPathType.SwitchoverAck),
    ];

    [Theory]
    [MemberData(nameof(Returns))]
    public void What_QEMU_answered_is_read_and_written_to_the_byte(string name)
    {
        var bytes = Golden.Return(name);
        var written = new List<byte>();
        var at = 0;
        while (at < bytes.Length)
        {
            for (var cut = 0; at + cut < bytes.Length && ReturnPathMessage.Read(bytes.AsSpan(at, cut), at, out _) == 0; cut++)
            {
            }

            var taken = ReturnPathMessage.Read(bytes.AsSpan(at), at, out var message);
            Assert.NotEqual(0, taken);
            at += taken;
            written.AddRange(Write(message));
        }

        Assert.Equal(bytes, written);
    }

    [Fact]
    public void A_precopy_ends_in_a_pong_and_a_shut()
    {
        var bytes = Golden.Return("pc-10.0");

        var first = ReturnPathMessage.Read(bytes, 0, out var pong);
        ReturnPathMessage.Read(bytes.AsSpan(first), first, out var shut);

        Assert.Equal(new ReturnPathMessage(ReturnPathType.Pong, Value: 1), pong);
        Assert.Equal(new ReturnPathMessage(ReturnPathType.Shut, Value: 0), shut);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_comes_back_and_waits_for_its_last_byte(ReturnPathMessage message)
    {
        var bytes = Write(message);

        for (var cut = 0; cut < bytes.Length; cut++)
            Assert.Equal(0, ReturnPathMessage.Read(bytes.AsSpan(0, cut), 0, out _));
        Assert.Equal(bytes.Length, ReturnPathMessage.Read(bytes, 0, out var read));
        Assert.Equal(message, read);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 }, "type")]
    [InlineData(new byte[] { 0, 8, 0, 0 }, "type")]
    [InlineData(new byte[] { 0, 1, 0, 5 }, "len")]
    [InlineData(new byte[] { 0, 4, 0, 13 }, "len")]
    [InlineData(new byte[] { 0, 3, 0, 12 }, "len")]
    [InlineData(new byte[] { 0, 5, 0, 1 }, "len")]
    [InlineData(new byte[] { 0, 7, 0, 1 }, "len")]
    [InlineData(new byte[] { 0, 5, 0, 3, 5, 65, 66 }, "idstr")]
    public void A_message_that_cant_be_is_named(byte[] bytes, string field)
    {
        var error = Assert.Throws<MigrationStreamException>(() => ReturnPathMessage.Read(bytes, 0, out _));

        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void A_bitmap_comes_back_and_waits_for_its_last_byte()
    {
        ulong[] words = [1, 0x8000000000000000, 0x0123456789abcdef];
        var writer = new WireWriter(new byte[64]);
        ReceivedBitmap.Write(ref writer, words);
        var bytes = writer.Written.ToArray();
        var read = new ulong[3];

        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 24, 1, 0], bytes[..10]);
        Assert.Equal(24, ReceivedBitmap.ByteCount(129));
        for (var cut = 0; cut < bytes.Length; cut++)
            Assert.Equal(0, ReceivedBitmap.Read(bytes.AsSpan(0, cut), 0, read));
        Assert.Equal(bytes.Length, ReceivedBitmap.Read(bytes, 0, read));
        Assert.Equal(words, read);
        Assert.Equal("bitmap size", Assert.Throws<MigrationStreamException>(() => ReceivedBitmap.Read(bytes, 0, new ulong[2])).Field);
        bytes[^1] ^= 1;
        Assert.Equal("bitmap end", Assert.Throws<MigrationStreamException>(() => ReceivedBitmap.Read(bytes, 0, new ulong[3])).Field);
    }

    private static byte[] Write(ReturnPathMessage message)
    {
        var writer = new WireWriter(new byte[ReturnPathMessage.MaxLength]);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }
}
