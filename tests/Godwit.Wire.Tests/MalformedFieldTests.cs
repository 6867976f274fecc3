using System.Buffers.Binary;
using Godwit.Testing;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

/// <summary>Each field of a real stream, made wrong: the error names section, field and byte.</summary>
public sealed class MalformedFieldTests
{
    private const string Capture = "virt-11.1";

    public static TheoryData<int, byte, string, string, long> Fields => new()
    {
        { 0, 0x00, "stream", "magic", 0 },
        { 7, 0x02, "stream", "version", 4 },
        { 7, 0x09, "stream", "version", 4 },
        { 8, 0x55, "stream", "section type", 8 },
        { 9, 0x7f, "configuration", "len", 9 },
        { 12, 0x00, "configuration", "len", 9 },
        { 17, 0x06, "stream", "section type", 17 },
        { 22, 0x00, "#1", "idstr", 22 },
        { 33, 0x05, "ram", "version", 30 },
        { 41, 0x14, "ram", "flags", 34 },
        { 41, 0x0c, "ram", "flags", 34 },
        { 42, 0x00, "ram", "block idstr", 42 },
        { 54, 0xff, "ram", "block length", 54 },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_wrong_byte_is_named(int at, byte value, string section, string field, long offset)
    {
        var stream = (byte[])Golden.Stream(Capture).Clone();
        Assert.NotEqual(value, stream[at]);
        stream[at] = value;

        var error = Read(stream);

        Assert.Equal((section, field, offset), (error.Section, error.Field, error.Offset));
    }

    [Fact]
    public void A_page_beyond_its_block_is_named()
    {
        var (stream, at) = FirstPage();
        BinaryPrimitives.WriteUInt64BigEndian(stream.AsSpan(at), (1UL << 40) | (ulong)RamFlags.Zero);

        var error = Read(stream);

        Assert.Equal(("ram", "page offset", (long)at), (error.Section, error.Field, error.Offset));
        Assert.Contains("beyond block", error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_of_no_block_is_named()
    {
        var (stream, at) = FirstPage();
        stream[at + 9] = (byte)'X';

        Assert.Equal("block idstr", Read(stream).Field);
    }

    [Fact]
    public void A_first_page_that_continues_nothing_is_named()
    {
        var (stream, at) = FirstPage();
        stream[at + 7] |= (byte)RamFlags.Continue;

        Assert.Equal("flags", Read(stream).Field);
    }

    [Fact]
    public void A_footer_of_another_section_is_named()
    {
        var stream = (byte[])Golden.Stream(Capture).Clone();
        var at = stream.AsSpan().IndexOf((ReadOnlySpan<byte>)[(byte)SectionType.Footer, 0, 0, 0, 1]);
        stream[at + 4] = 9;

        var error = Read(stream);

        Assert.Equal(("ram", "footer", at + 1L), (error.Section, error.Field, error.Offset));
    }

    [Fact]
    public void A_section_that_never_started_is_named()
    {
        var stream = (byte[])Golden.Stream(Capture).Clone();
        var at = stream.AsSpan().IndexOf((ReadOnlySpan<byte>)[(byte)SectionType.Footer, 0, 0, 0, 1, (byte)SectionType.Part]) + 5;
        stream[at + 4] = 77;

        var error = Read(stream);

        Assert.Equal(("#77", "section id", at + 1L), (error.Section, error.Field, error.Offset));
    }

    [Fact]
    public void Bytes_after_the_end_are_named()
    {
        var stream = Golden.Stream(Capture);

        var error = Read([.. stream, 0]);

        Assert.Equal(("stream", "end", (long)stream.Length), (error.Section, error.Field, error.Offset));
    }

    [Fact]
    public void A_description_of_four_gigabytes_is_not_believed()
    {
        var stream = (byte[])Golden.Stream(Capture).Clone();
        var at = stream.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[(byte)SectionType.Eof, (byte)SectionType.VmDescription]);
        stream[at + 2] = 0xff;

        Assert.Equal("description", Read(stream, StreamReadMode.HeadersOnly, new NoLengths()).Section);
    }

    [Theory]
    [InlineData(new byte[] { 8, 0, 0, 0, 0 }, "command")]
    [InlineData(new byte[] { 8, 0, 12, 0, 0 }, "command")]
    [InlineData(new byte[] { 8, 0, 2, 0, 3 }, "PING")]
    [InlineData(new byte[] { 8, 0, 1, 0, 1 }, "OPEN_RETURN_PATH")]
    [InlineData(new byte[] { 8, 0, 3, 0, 8 }, "POSTCOPY_ADVISE")]
    [InlineData(new byte[] { 8, 0, 7, 0, 8 }, "PACKAGED")]
    public void A_command_that_cant_be_is_named(byte[] command, string field)
    {
        var stream = Golden.Stream(Capture);

        var error = Read([.. stream[..17], .. command, .. stream[17..]]);

        Assert.Equal(("command", field), (error.Section, error.Field));
    }

    /// <summary>Trusts the capture's own device lengths as little as a reader without description does.</summary>
    private sealed class NoLengths : ISectionLengths
    {
        public long? BodyLength(SectionHeader header, long bodyOffset) => header.Name == "globalstate" ? 104 : null;
    }

    private static (byte[] Stream, int At) FirstPage()
    {
        var stream = (byte[])Golden.Stream(Capture).Clone();
        var reader = new MigrationStreamReader();
        var at = 0;
        while (reader.Read(stream.AsSpan(at), true, out var element, out _) && element.Kind != StreamElementKind.RamPage)
            at += (int)element.Length;
        return (stream, at);
    }

    private static MigrationStreamException Read(byte[] stream, StreamReadMode mode = StreamReadMode.Whole, ISectionLengths? lengths = null)
    {
        var reader = new MigrationStreamReader(mode) { Lengths = lengths };
        return Assert.Throws<MigrationStreamException>(() =>
        {
            var at = 0L;
            while (at <= stream.Length && reader.Read(stream.AsSpan((int)at), true, out var element, out _))
                at += element.Length;
        });
    }
}
