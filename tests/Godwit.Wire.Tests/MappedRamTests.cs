using System.Buffers.Binary;
using Godwit.Testing;
using Godwit.Wire.MappedRam;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

/// <summary>Mapped-ram files that QEMU wrote: read however they are split, written anew, and made wrong field by field.</summary>
public sealed class MappedRamTests
{
    private const string Capture = "spike-11.1-mapped-ram";

    public static TheoryData<string> Files => [.. Golden.Mapped];

    /// <summary>Bytes from the header of the first block, a value, the field that is wrong then, and where that is named.</summary>
    public static TheoryData<int, int, ulong, string, int> Fields => new()
    {
        { 0, 4, 0, "mapped-ram version", 0 },
        { 0, 4, 2, "mapped-ram version", 0 },
        { 4, 8, 0, "mapped-ram page size", 4 },
        { 4, 8, 4095, "mapped-ram page size", 4 },
        { 4, 8, 1UL << 63, "mapped-ram page size", 4 },
        { 4, 8, 1 << 17, "mapped-ram page size", 4 },
        { 12, 8, 0, "mapped-ram bitmap offset", 12 },
        { 12, 8, 0x8d, "mapped-ram bitmap offset", 12 },
        { 12, 8, long.MaxValue, "mapped-ram bitmap offset", 12 },
        { 12, 8, ulong.MaxValue - 7, "mapped-ram bitmap offset", 12 },
        { 12, 8, 0xfffc0, "mapped-ram pages offset", 20 },
        { 20, 8, 0, "mapped-ram pages offset", 20 },
        { 20, 8, 0x100800, "mapped-ram pages offset", 20 },
        { 20, 8, long.MaxValue - 4095, "mapped-ram pages offset", 20 },
        { 20, 8, ulong.MaxValue - 4095, "mapped-ram pages offset", 20 },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_read_in_pieces_gives_what_it_gives_whole(string name)
    {
        var (stream, offset) = Stream(name);
        var whole = Transcript.Read(stream, 0, fileOffset: offset);

        Assert.Equal(2, whole.Count(l => l.Contains(" RamBlock ", StringComparison.Ordinal)));
        foreach (var step in new[] { 1, 13, 4097, 1 << 20 })
            Assert.Equal(whole, Transcript.Read(stream, step, fileOffset: offset));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void An_entry_waits_for_its_last_byte_and_is_written_to_the_byte(string name)
    {
        var (stream, offset) = Stream(name);
        var reader = new MigrationStreamReader { FileOffset = offset };
        var entries = 0;
        for (var at = 0; at < stream.Length;)
        {
            Assert.True(reader.Fork(StreamReadMode.Whole, reader.Offset).Read(stream.AsSpan(at), true, out var element, out _));
            if (element.Kind == StreamElementKind.RamBlock)
            {
                entries++;
                var block = element.Block!;
                for (var cut = 0; cut < element.Length; cut++)
                {
                    Assert.False(reader.Read(stream.AsSpan(at, cut), false, out _, out var needed));
                    Assert.InRange(needed, cut + 1, MigrationStreamReader.MaxElementLength);
                }

                var writer = new WireWriter(new byte[RamBlock.MaxEntryLength]);
                block.Write(ref writer);
                Assert.Equal(Convert.ToHexString(stream.AsSpan(at, (int)element.Length)), Convert.ToHexString(writer.Written));
                Assert.Equal(block.Mapped, MappedRamHeader.Place((ulong)(offset + at + (int)element.Length - MappedRamHeader.Length), block.Length, 12));
            }

            Assert.True(reader.Read(stream.AsSpan(at), true, out element, out _));
            at += (int)element.Length;
        }

        Assert.Equal(2, entries);
    }

    [Fact]
    public void A_reader_of_headers_steps_over_the_pages()
    {
        var (stream, offset) = Stream(Capture);
        var reader = new MigrationStreamReader(StreamReadMode.HeadersOnly) { FileOffset = offset };
        var skipped = new List<long>();
        for (var at = 0; at < stream.Length;)
        {
            Assert.True(reader.Read(stream.AsSpan(at), true, out var element, out _));
            if (element.Kind == StreamElementKind.MappedRamData)
                skipped.Add(element.Length);
            at += (int)element.Length;
        }

        Assert.Equal([0x500000 - 0x8e, 0x60f000 - 0x500035], skipped);
    }

    /// <summary>What the bitmap names is in the file, and what it doesn't name is zero.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void The_bitmap_is_that_of_the_pages_that_are_not_zero(string name)
    {
        var file = Golden.MappedFile(name);
        var (stream, offset) = Stream(name);
        var reader = new MigrationStreamReader { FileOffset = offset };
        var found = 0L;
        for (var at = 0; at < stream.Length;)
        {
            Assert.True(reader.Read(stream.AsSpan(at), true, out var element, out _));
            at += (int)element.Length;
            if (element.Block?.Mapped is not { } mapped)
                continue;
            var pages = (long)mapped.Pages(element.Block.Length);
            var words = new ulong[mapped.BitmapLength(element.Block.Length) / 8];
            for (var i = 0; i < words.Length; i++)
                words[i] = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan((int)mapped.BitmapOffset + (i * 8)));
            var set = new HashSet<long>();
            for (var next = 0L; MappedRamBitmap.TryNextRun(words, pages, ref next, out var first, out var count);)
                set.UnionWith(Enumerable.Range((int)first, (int)count).Select(p => (long)p));
            for (var page = 0L; page < pages; page++)
                Assert.Equal(file.AsSpan((int)mapped.PagesOffset + ((int)page * 4096), 4096).ContainsAnyExcept((byte)0), set.Contains(page));
            found += set.Count;
        }

        Assert.InRange(found, 3, 100);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_wrong_field_is_named(int at, int length, ulong value, string field, int named)
    {
        var (stream, _) = Stream(Capture);
        stream = (byte[])stream.Clone();
        var header = stream.AsSpan().IndexOf("riscv.spike.ram"u8) + 15 + 8;
        if (length == 4)
            BinaryPrimitives.WriteUInt32BigEndian(stream.AsSpan(header + at), (uint)value);
        else
            BinaryPrimitives.WriteUInt64BigEndian(stream.AsSpan(header + at), value);

        var error = Assert.Throws<MigrationStreamException>(() => Transcript.Read(stream, 0));

        Assert.Equal(("ram", field, (long)header + named), (error.Section, error.Field, error.Offset));
        Assert.Contains("riscv.spike.ram", error.Reason, StringComparison.Ordinal);
    }

    /// <summary>Neither pages nor meetings of channels are in such a stream: they are in the file, and loading meets at the end.</summary>
    [Theory]
    [InlineData(RamFlags.Zero)]
    [InlineData(RamFlags.Page)]
    [InlineData(RamFlags.Xbzrle)]
    [InlineData(RamFlags.CompressPage)]
    [InlineData(RamFlags.Hook)]
    [InlineData(RamFlags.MultifdFlush)]
    [InlineData(RamFlags.Page | RamFlags.Continue)]
    public void A_flag_that_has_no_place_is_named(RamFlags flag)
    {
        var (stream, _) = Stream(Capture);
        stream = (byte[])stream.Clone();
        const int EndOfList = 0x60f000;
        Assert.Equal((ulong)RamFlags.Eos, BinaryPrimitives.ReadUInt64BigEndian(stream.AsSpan(EndOfList)));
        BinaryPrimitives.WriteUInt64BigEndian(stream.AsSpan(EndOfList), (ulong)flag);

        var error = Assert.Throws<MigrationStreamException>(() => Transcript.Read(stream, 0));

        Assert.Equal(("ram", "flags", (long)EndOfList), (error.Section, error.Field, error.Offset));
        Assert.StartsWith("Unexpected RAM flags", error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_are_those_of_the_bits_one_by_one()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var words = new ulong[random.Next(1, 6)];
            for (var i = 0; i < words.Length; i++)
                words[i] = random.Next(4) switch { 0 => 0, 1 => ulong.MaxValue, 2 => (ulong)random.NextInt64(), _ => (ulong)random.NextInt64() | (1UL << 63) };
            var pages = ((words.Length - 1) * 64) + random.Next(1, 65);
            var expected = Enumerable.Range(0, pages).Where(p => (words[p >> 6] >> (p & 63) & 1) != 0).Select(p => (long)p);

            var found = new List<long>();
            for (var next = 0L; MappedRamBitmap.TryNextRun(words, pages, ref next, out var first, out var count);)
                found.AddRange(Enumerable.Range(0, (int)count).Select(p => first + p));

            Assert.Equal(expected, found);
        }
    }

    private static (byte[] Bytes, int Offset) Stream(string name)
    {
        var offset = Golden.MappedOffset(name);
        return (Golden.MappedFile(name)[offset..], offset);
    }
}
