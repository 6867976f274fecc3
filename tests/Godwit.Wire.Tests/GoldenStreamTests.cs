using Godwit.Testing;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

public sealed class GoldenStreamTests
{
    public static TheoryData<string> Streams => [.. Golden.Streams.Where(s => s != "virt-10.0-no-footers")];

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_read_byte_by_byte_gives_what_it_gives_whole(string name)
    {
        var stream = Golden.Stream(name);

        Assert.Equal(Transcript.Read(stream, 0), Transcript.Read(stream, 1));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_read_in_odd_pieces_gives_what_it_gives_whole(string name)
    {
        var stream = Golden.Stream(name);
        var whole = Transcript.Read(stream, 0);

        foreach (var step in new[] { 2, 3, 7, 509, 4095, 4097, 65537 })
            Assert.Equal(whole, Transcript.Read(stream, step));
    }

    /// <summary>At each element, every shorter buffer must leave the reader as it was and ask for more.</summary>
    [Theory]
    [MemberData(nameof(Streams))]
    public void Every_element_waits_for_its_last_byte(string name)
    {
        var stream = Golden.Stream(name);
        var reader = new MigrationStreamReader();
        var at = 0;
        while (at < stream.Length)
        {
            var probe = reader.Fork(StreamReadMode.Whole, reader.Offset);
            Assert.True(probe.Read(stream.AsSpan(at), true, out var element, out _));
            if (element.Kind is not (StreamElementKind.SectionData or StreamElementKind.VmDescriptionData or StreamElementKind.PackagedData))
            {
                for (var cut = 0; cut < element.Length; cut++)
                {
                    Assert.False(reader.Read(stream.AsSpan(at, cut), false, out _, out var needed), $"{element.Kind} at {at} was read from {cut} of {element.Length} bytes");
                    Assert.InRange(needed, cut + 1, MigrationStreamReader.MaxElementLength);
                }
            }

            Assert.True(reader.Read(stream.AsSpan(at), true, out element, out _));
            at += (int)element.Length;
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_written_from_its_elements_is_the_same_to_the_byte(string name)
    {
        var stream = Golden.Stream(name);
        var reader = new MigrationStreamReader();
        var at = 0;
        var buffer = new byte[MigrationStreamReader.MaxElementLength];
        while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            var writer = new WireWriter(element.Length > buffer.Length ? new byte[element.Length] : buffer);
            Rewriter.Write(ref writer, element, reader);
            Assert.Equal(Convert.ToHexString(stream.AsSpan(at, (int)element.Length)), Convert.ToHexString(writer.Written));
            at += (int)element.Length;
        }

        Assert.Equal(stream.Length, at);
    }

    [Fact]
    public void Every_page_form_and_command_that_QEMU_writes_is_in_the_captures()
    {
        var flags = RamFlags.None;
        var commands = new HashSet<CommandType>();
        foreach (var name in Golden.Streams.Where(s => s != "virt-10.0-no-footers"))
        {
            var stream = Golden.Stream(name);
            var reader = new MigrationStreamReader();
            var at = 0;
            while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
            {
                at += (int)element.Length;
                flags |= element.Flags;
                if (element.Kind == StreamElementKind.Command)
                    commands.Add(element.Command);
            }
        }

        Assert.Equal(RamFlags.Zero | RamFlags.MemSize | RamFlags.Page | RamFlags.Eos | RamFlags.Continue | RamFlags.Xbzrle | RamFlags.MultifdFlush, flags);
        CommandType[] expected = [CommandType.OpenReturnPath, CommandType.Ping, CommandType.PostcopyAdvise, CommandType.PostcopyRamDiscard, CommandType.Packaged, CommandType.SwitchoverStart];
        Assert.Equal(expected, commands.Order());
    }

    [Fact]
    public void The_package_of_a_postcopy_is_a_stream_of_its_own_with_listen_and_run()
    {
        var stream = Golden.Stream("virt-11.1-postcopy");
        var reader = new MigrationStreamReader();
        var package = new List<byte>();
        var at = 0;
        while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            if (element.Kind == StreamElementKind.PackagedData)
                package.AddRange(element.Payload);
        }

        Assert.Equal([0x08, 0x00, (byte)CommandType.PostcopyListen, 0x00, 0x00], package.Take(5));
        Assert.Equal([0x08, 0x00, (byte)CommandType.PostcopyRun, 0x00, 0x00], package.TakeLast(5));
    }

    [Fact]
    public void Zero_pages_tell_no_page_size()
    {
        var reader = new MigrationStreamReader();
        var stream = Golden.Stream("alpha-10.0");
        var at = 0;
        while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
            at += (int)element.Length;

        Assert.Null(reader.Configuration!.TargetPageBits);
        Assert.Null(reader.PageBits);
    }
}
