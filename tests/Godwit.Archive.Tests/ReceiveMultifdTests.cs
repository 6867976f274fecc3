using System.Buffers.Binary;
using Godwit.Archive.Analyze;
using Godwit.Archive.Receive;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

/// <summary>Sources with multifd channels: what real QEMUs sent, and what none sends.</summary>
public sealed class ReceiveMultifdTests
{
    private const int Packet = 1344;
    private const int First = MultifdHandshake.Length + Packet;
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 30;

    public static TheoryData<string> Captures => [.. Golden.MultifdOfAny];

    [Theory]
    [MemberData(nameof(Captures))]
    public void The_file_is_a_plain_stream_with_each_page_once(string name)
    {
        using var folder = new TemporaryFolder();
        var pageBits = name.StartsWith("alpha", StringComparison.Ordinal) ? 13 : 12;
        byte[][] channels = [Golden.Channel(name, 0), Golden.Channel(name, 1)];

        var (summary, error, _) = ReplayChannels.Receive(Golden.Stream(name), channels, folder.File("out"));

        Assert.Null(error);
        Assert.Equal((2, 1 << pageBits), (summary!.MultifdChannels, summary.PageSize));
        var expected = MultifdModel.Read(Golden.Stream(name), channels, pageBits);
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.Equal(expected.Keys, kept.Pages.Keys);
        Assert.All(expected, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
        Assert.All(kept.Versions, v => Assert.Equal(1, v.Value));
        Assert.Equal(RamModel.Read(Golden.Stream(name)).Devices, kept.Devices);
        Assert.Equal(expected.Count, summary.StoredPages + summary.ZeroPages);
        Assert.Equal(["out"], folder.Names);
        using var file = StreamFile.Open(folder.File("out"));
        var verdict = StreamVerifier.Verify(file);
        Assert.Empty(verdict.Problems);
        Assert.Equal(1 << pageBits, verdict.Report.PageSize);
    }

    [Theory]
    [InlineData(1, -1, 0)]
    [InlineData(1, 0, -1)]
    public void Channels_come_in_any_order(params int[] order)
    {
        using var folder = new TemporaryFolder();
        byte[][] channels = [Golden.Channel("virt-11.1-multifd", 0), Golden.Channel("virt-11.1-multifd", 1)];

        var (_, error, _) = ReplayChannels.Receive(Golden.Stream("virt-11.1-multifd"), channels, folder.File("out"), new ReceiveOptions { MultifdChannels = 2 }, order);

        Assert.Null(error);
        AssertHolds(MultifdModel.Read(Golden.Stream("virt-11.1-multifd"), channels, 12), folder.File("out"));
    }

    /// <summary>The same page goes over one channel and in the next round over another, which is faster: it waits for the slower one.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void The_page_that_was_sent_last_stays(int slower, bool atEachEos)
    {
        using var folder = new TemporaryFolder();
        byte[][] channels = [Handshake(0), Handshake(1)];
        channels[slower] = [.. channels[slower], .. Sync(), .. Pages(0xaa, 3, 4, 5), .. Sync(), .. Sync()];
        channels[1 - slower] = [.. channels[1 - slower], .. Sync(), .. Sync(), .. Pages(0xbb, 4, 6), .. Zeros(5), .. Sync()];

        var (summary, error, _) = ReplayChannels.Receive(MainStream(atEachEos, 2), channels, folder.File("out"), slower: slower);

        Assert.Null(error);
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out"))).Pages;
        Assert.Equal([3UL, 4, 5, 6], kept.Keys.Select(k => k.Offset >> 12));
        Assert.Equal((0xaa, 0xbb, 0, 0xbb), (kept[("a", 0x3000)][4095], kept[("a", 0x4000)][0], kept[("a", 0x5000)].Length, kept[("a", 0x6000)][9]));
        Assert.Equal((4, 0, 2), (summary!.StoredPages, summary.ZeroPages, summary.RewrittenPages));
    }

    /// <summary>Over the main channel, which never shows how large a page is (zero-page-detection: legacy).</summary>
    [Theory]
    [InlineData(StreamFormat.Stream)]
    [InlineData(StreamFormat.MappedRam)]
    public void A_page_of_8_KiB_that_becomes_zero_is_zero_to_its_end(StreamFormat format)
    {
        using var folder = new TemporaryFolder();
        byte[][] channels = [[.. Handshake(0), .. Sync(13), .. LargePages(0xaa, 3, 6), .. Sync(13), .. Sync(13)]];

        var (summary, error, _) = ReplayChannels.Receive(MainStream(false, 2, zero: 6), channels, folder.File("out"), new ReceiveOptions { Format = format });

        Assert.Null(error);
        Assert.Equal(8192, summary!.PageSize);
        var file = File.ReadAllBytes(folder.File("out"));
        var kept = format == StreamFormat.Stream ? RamModel.Read(file).Pages : MappedModel.Read(file).Pages;
        Assert.Equal(8192, kept.Values.Sum(p => p.Length));
        Assert.Equal((8192, 0xaa, 0), (kept[("a", 6 << 13)].Length, kept[("a", 6 << 13)][8191], kept[("a", 3 << 13)].Length));
    }

    [Fact]
    public void A_source_without_channels_goes_its_old_way()
    {
        using var folder = new TemporaryFolder();
        Replay.Receive(Golden.Stream("virt-11.1"), folder.File("one"));

        var (summary, error, _) = ReplayChannels.Receive(Golden.Stream("virt-11.1"), [], folder.File("out"));

        Assert.Null(error);
        Assert.Equal(0, summary!.MultifdChannels);
        Assert.Equal(File.ReadAllBytes(folder.File("one")), File.ReadAllBytes(folder.File("out")));
    }

    /// <summary>As a source with postcopy-preempt does.</summary>
    [Fact]
    public void A_connection_that_stays_silent_is_no_matter_to_a_source_without_channels()
    {
        using var folder = new TemporaryFolder();
        using var from = new TemporaryFolder();
        using var listener = Migration.Channels.ChannelListener.Listen(new Migration.Channels.MigrationUri(Migration.Channels.MigrationScheme.Unix, Path: from.File("in")));
        using var main = Migration.Channels.ChannelConnector.Connect(listener.Address, returnPath: false);
        using var silent = Migration.Channels.ChannelConnector.Connect(listener.Address, returnPath: false);
        var writing = new Thread(() => SourceEnd.Write(main, Golden.Stream("virt-11.1"), 1 << 16, close: true));
        writing.Start();

        var summary = Receiver.Receive(listener, folder.File("out"), new ReceiveOptions(), new ReceiveProgress(), CancellationToken.None);

        writing.Join();
        Assert.Equal(0, summary.MultifdChannels);
        Assert.Equal(["out"], folder.Names);
    }

    [Theory]
    [InlineData(0, 0x51455600u, "a channel came that begins with 51455600")]
    [InlineData(4, 2u, "field 'version': version 2, expected 1")]
    [InlineData(8, 1u, "field 'uuid': UUID received is")]
    [InlineData(24, 0x01000000u, "a channel with this id is here already")]
    [InlineData(24, 0x02000000u, "2 of 3 multifd channels came, missing 0")]
    [InlineData(First + 0, 0u, "field 'magic'")]
    [InlineData(First + 4, 7u, "field 'version'")]
    [InlineData(First + 8, 0x40u, "multifd device state")]
    [InlineData(First + 8, 0x20u, "multifd-compression=qatzip")]
    [InlineData(First + 12, 0u, "pages, of 0 at most")]
    [InlineData(First + 12, 100u, "pages, of 100 at most")]
    [InlineData(First + 12, 129u, "field 'pages_alloc'")]
    [InlineData(First + 16, 129u, "field 'normal_pages'")]
    [InlineData(First + 20, 0x7fffffffu, "field 'next_packet_size'")]
    [InlineData(First + 32, 129u, "field 'zero_pages'")]
    [InlineData(First + 64, 0x78787878u, "is no block that the source has listed")]
    [InlineData(First + 320, 0x80000000u, "is outside of block")]
    [InlineData(First + 324, 0x00000800u, "is no page's")]
    public void A_field_that_cant_be_is_named(int at, uint value, string reason)
    {
        var main = Golden.Stream("virt-11.1-multifd");

        // The other one has no packet that would tell the page size first.
        byte[][] channels = [(byte[])Golden.Channel("virt-11.1-multifd", 0).Clone(), [.. Handshake(1), .. Sync(), .. Sync(), .. Sync()]];
        BinaryPrimitives.WriteUInt32BigEndian(channels[0].AsSpan(at), value);
        AssertFails(main, channels, reason);
    }

    [Theory]
    [InlineData(30, "within its handshake")]
    [InlineData(MultifdHandshake.Length, "ended without the SYNC that belongs to it")]
    [InlineData(MultifdHandshake.Length + 500, "within a packet")]
    [InlineData(First + 500, "within a packet")]
    public void A_channel_cut_short_is_named(int length, string reason) => AssertFails(
        Golden.Stream("virt-11.1-multifd"), [Golden.Channel("virt-11.1-multifd", 0)[..length], Golden.Channel("virt-11.1-multifd", 1)], reason);

    [Fact]
    public void Missing_and_foreign_channels_are_named()
    {
        var main = Golden.Stream("virt-11.1-multifd");
        byte[][] channels = [Golden.Channel("virt-11.1-multifd", 0), Golden.Channel("virt-11.1-multifd", 1)];
        AssertFails(main, channels, "2 of 3 multifd channels came, missing 2", new ReceiveOptions { MultifdChannels = 3 });
        AssertFails(main, channels, "multifd-channels is 1 here", new ReceiveOptions { MultifdChannels = 1 });
        AssertFails(main, channels, "no multifd channel came", order: [-1]);
        AssertFails(main, channels, "1 of 2 multifd channels came, missing 0", order: [-1, 1]);
        AssertFails(main, channels, "a second main channel came", order: [-1, -1, 0]);
        AssertFails(main, [.. channels, .. new[] { "GET / HTTP/1.1\r\n\r\n"u8.ToArray() }], "a channel came that begins with 47455420");
        AssertFails(Golden.Stream("virt-11.1"), [], "is capability multifd on at the source?", new ReceiveOptions { MultifdChannels = 2 });
    }

    [Fact]
    public void Pages_outside_of_memory_s_section_are_named()
    {
        AssertFails([], [[.. Handshake(0), .. Pages(1, 0)]], "pages of block 'a' come before the list of blocks", order: [0]);
        var pages = Pages(1, 0);
        pages[15] = 100;
        AssertFails([], [[.. Handshake(0), .. pages]], "field 'pages_alloc': 100 pages in 524288 bytes are of no size that a target has", order: [0]);
        pages = Pages(1, 0);
        AssertFails(MainStream(false, 1), [[.. Handshake(0), .. Sync(), .. pages[..^1]]], "within the pages of a packet");
    }

    /// <summary>Whatever is done to the channels: a file that comes of it is a valid stream.</summary>
    [Theory]
    [MemberData(nameof(Captures))]
    public void Mutated_channels_give_a_valid_file_or_none(string name)
    {
        var random = new Random(name.Length);
        for (var round = 0; round < Rounds; round++)
        {
            byte[][] all = [(byte[])Golden.Stream(name).Clone(), (byte[])Golden.Channel(name, 0).Clone(), (byte[])Golden.Channel(name, 1).Clone()];
            for (var change = random.Next(1, 3); change > 0; change--)
            {
                var one = all[random.Next(3)];
                one[random.Next(random.Next(2) == 0 ? Math.Min(one.Length, 2000) : one.Length)] ^= (byte)(1 << random.Next(8));
            }

            using var folder = new TemporaryFolder();
            var (summary, error, _) = ReplayChannels.Receive(all[0], all[1..], folder.File("out"));

            if (summary is null)
            {
                Assert.True(error is MigrationStreamException or IOException, error?.ToString());
                Assert.Empty(folder.Names);
                continue;
            }

            using var file = StreamFile.Open(folder.File("out"));
            Assert.All(StreamVerifier.Verify(file, summary.PageSize).Problems, p => Assert.NotEqual(SectionHeader.RamName, p.Section));
        }
    }

    private static void AssertFails(byte[] main, byte[][] channels, string reason, ReceiveOptions? options = null, int[]? order = null)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("out"), "older");

        var (_, error, answers) = ReplayChannels.Receive(main, channels, folder.File("out"), options, order);

        Assert.Contains(reason, Assert.IsType<MigrationStreamException>(error).Message, StringComparison.Ordinal);
        Assert.Equal("older", File.ReadAllText(folder.File("out")));
        Assert.Equal(["out"], folder.Names);
        Assert.DoesNotContain(new ReturnPathMessage(ReturnPathType.Shut), answers);
    }

    private static void AssertHolds(SortedDictionary<(string Block, ulong Offset), byte[]> expected, string path)
    {
        var kept = RamModel.Read(File.ReadAllBytes(path)).Pages;
        Assert.Equal(expected.Keys, kept.Keys);
        Assert.All(expected, p => Assert.Equal(p.Value, kept[p.Key]));
    }

    /// <summary>A main channel with rounds in which nothing goes over it.</summary>
    /// <param name="zero">A page, in units of 4 KiB, that the last round says is zero.</param>
    private static byte[] MainStream(bool atEachEos, int rounds, int? zero = null)
    {
        var ram = new SectionHeader(SectionType.Start, 2, SectionHeader.RamName, 0, 4);
        var builder = new StreamBuilder().Write((ref WireWriter w) =>
        {
            ram.Write(ref w);
            RamItem.WriteMemSize(ref w, 64 << 12);
            new RamBlock(0, "a", 64 << 12).Write(ref w);
            Flush(ref w);
            RamItem.WriteEos(ref w);
            ram.WriteFooter(ref w);
        });
        for (var i = 1; i <= rounds; i++)
        {
            builder.Ram(i == rounds ? SectionType.End : SectionType.Part);
            if (i == rounds && zero is { } page)
                builder.ZeroPage("a", page);
            builder.Write((ref WireWriter w) => Flush(ref w)).Eos();
        }

        return builder.Device(5, "dev", [1, 2, 3]).End().ToArray();

        void Flush(ref WireWriter writer)
        {
            if (!atEachEos)
                RamItem.WriteMultifdFlush(ref writer);
        }
    }

    private static byte[] Handshake(byte id)
    {
        var writer = new WireWriter(new byte[MultifdHandshake.Length]);
        new MultifdHandshake(Guid.Empty, id).Write(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] Sync(int pageBits = 12) => Bytes(MultifdFlags.Sync, pageBits, [], []);

    private static byte[] Pages(byte fill, params ulong[] pages) => [.. Bytes(MultifdFlags.None, 12, pages, []), .. Enumerable.Repeat(fill, pages.Length << 12)];

    private static byte[] LargePages(byte fill, params ulong[] pages) => [.. Bytes(MultifdFlags.None, 13, pages, []), .. Enumerable.Repeat(fill, pages.Length << 13)];

    private static byte[] Zeros(params ulong[] pages) => Bytes(MultifdFlags.None, 12, [], pages);

    private static byte[] Bytes(MultifdFlags flags, int pageBits, ulong[] normal, ulong[] zero)
    {
        var bytes = new byte[MultifdPacket.Length(pageBits)];
        MultifdPacket.Write(bytes, pageBits, flags, 0, flags == MultifdFlags.Sync ? [] : "a"u8, [.. normal.Select(p => p << pageBits)], [.. zero.Select(p => p << pageBits)], normal.Length << pageBits);
        return bytes;
    }
}
