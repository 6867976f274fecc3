using Godwit.Archive.Analyze;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

/// <summary>Streams made to measure: what pages may become, and what a device may look like.</summary>
public sealed class ReceiveBuiltTests
{
    [Fact]
    public void A_page_may_become_anything_from_anything()
    {
        byte[] one = Page(1), two = Page(2);
        var change = new byte[4096];
        var length = Xbzrle.Encode(one, two, change);
        var fromZero = new byte[4096];
        var sparse = new byte[4096];
        sparse[7] = 9;
        var zeroLength = Xbzrle.Encode(new byte[4096], sparse, fromZero);
        Assert.Equal(Xbzrle.Overflow, length);
        var small = (byte[])one.Clone();
        small[100] ^= 0xff;
        length = Xbzrle.Encode(one, small, change);

        var stream = new StreamBuilder().RamStart(("a", 8), ("b", 8))
            .Ram(SectionType.Part)
            .Page("a", 0, one).ZeroPage("a", 1).ZeroPage("a", 2).Page("a", 3, one).Page("b", 0, one).ZeroPage("b", 1)
            .Page("a", 0, two).Page("a", 1, one).XbzrlePage("a", 2, fromZero[..zeroLength]).ZeroPage("a", 3)
            .Eos()
            .Ram(SectionType.Part)
            .Page("b", 2, two).XbzrlePage("b", 0, change[..length]).Page("a", 3, two).ZeroPage("a", 1).ZeroPage("b", 1).Page("a", 5, one)
            .Eos()
            .Ram(SectionType.End).Page("a", 1, two).ZeroPage("b", 7).Eos()
            .Device(5, "d", [1, 2, 3]).End().ToArray();

        var kept = Check(stream);

        Assert.Equal(two, kept.Pages[("a", 0)]);
        Assert.Equal(two, kept.Pages[("a", 4096)]);
        Assert.Equal(sparse, kept.Pages[("a", 8192)]);
        Assert.Equal(two, kept.Pages[("a", 3 * 4096)]);
        Assert.Equal(small, kept.Pages[("b", 0)]);
    }

    [Fact]
    public void Pages_in_any_order_and_form_end_as_the_model_has_them()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var random = new Random(seed);
            var builder = new StreamBuilder().RamStart(("ram0", 40), ("ram1", 40));
            var pages = new Dictionary<(string, int), byte[]>();
            for (var round = 0; round < 6; round++)
            {
                builder.Ram(round == 5 ? SectionType.End : SectionType.Part);
                for (var i = random.Next(60); i >= 0; i--)
                    AddRandom(builder, pages, random);
                builder.Eos();
            }

            Check(builder.Device(9, "d", [0]).End().ToArray());
        }
    }

    [Fact]
    public void What_comes_between_the_rounds_follows_memory_in_its_order()
    {
        var live = new SectionHeader(SectionType.Start, 7, "0000:00:01.0/vfio", 0, 1);
        var stream = new StreamBuilder().RamStart(("a", 4))
            .Write((ref WireWriter w) => live.Write(ref w)).Raw(1, 2, 3).Write((ref WireWriter w) => live.WriteFooter(ref w))
            .Ram(SectionType.Part).Page("a", 0, Page(1)).Eos()
            .Write((ref WireWriter w) => (live with { Type = SectionType.Part }).Write(ref w)).Raw(4, 0x7e, 0, 0, 0, 7, 0x99, 5).Write((ref WireWriter w) => live.WriteFooter(ref w))
            .Ram(SectionType.Part).Page("a", 0, Page(2)).Eos()
            .Command(CommandType.SwitchoverStart)
            .Ram(SectionType.End).ZeroPage("a", 1).Eos()
            .Write((ref WireWriter w) => (live with { Type = SectionType.End }).Write(ref w)).Raw(6).Write((ref WireWriter w) => live.WriteFooter(ref w))
            .Device(9, "d", [0]).End().ToArray();

        using var folder = new TemporaryFolder();
        Assert.Null(Replay.Receive(stream, folder.File("out")).Error);

        using var file = StreamFile.Open(folder.File("out"));
        var report = StreamAnalyzer.Analyze(file);
        Assert.Null(report.Break);
        var vfio = report.Sections.Single(s => s.Header.Id == 7);
        Assert.Equal((3, 3L + 8 + 1), (vfio.Parts, vfio.Length));
        Assert.Equal("SWITCHOVER_START", Assert.Single(report.Commands).Name);
    }

    /// <summary>A guest may write whatever it likes into its devices, the end of a stream too.</summary>
    [Fact]
    public void A_device_that_looks_like_the_rest_of_a_stream_is_still_one_device()
    {
        var forged = new StreamBuilder().Device(9, "d", [1]).End().ToArray()[(8 + 9)..];
        byte[] body = [1, 2, 3, 0x7e, 0, 0, 0, 9, .. forged, 4, 5, 0x7e, 0, 0, 0, 9, 0];
        var stream = new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Device(9, "d", body).Device(10, "e", [7]).End().ToArray();
        using var folder = new TemporaryFolder();

        var (_, error, _) = Replay.Receive(stream, folder.File("out"), step: 1);

        Assert.Null(error);
        using var file = StreamFile.Open(folder.File("out"));
        var verdict = StreamVerifier.Verify(file);
        Assert.Empty(verdict.Problems);
        Assert.Equal([(long)body.Length, 1], verdict.Report.Sections.Where(s => s.Header.Type == SectionType.Full).Select(s => s.Length));
    }

    /// <summary>Postcopy advice puts page sizes into the block list; a file that no longer speaks of postcopy must not have them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Page_sizes_of_huge_blocks_are_understood_and_left_out(bool shared)
    {
        var configuration = new ConfigurationSection("m") { Capabilities = shared ? [ConfigurationSection.IgnoreShared] : null };
        var ram = new SectionHeader(SectionType.Start, 2, "ram", 0, 4);
        var stream = new StreamBuilder(configuration)
            .Write((ref WireWriter w) => new PostcopyAdvise(0x201000, 4096).Write(ref w))
            .Write((ref WireWriter w) =>
            {
                ram.Write(ref w);
                RamItem.WriteMemSize(ref w, 0x400000 + 0x2000);
                w.Counted("huge");
                w.UInt64(0x400000);
                w.UInt64(0x200000);
                if (shared)
                    w.UInt64(0x80000000);
                w.Counted("plain");
                w.UInt64(0x2000);
                if (shared)
                    w.UInt64(0x200000);
                RamItem.WriteEos(ref w);
                ram.WriteFooter(ref w);
            })
            .Ram(SectionType.End).ZeroPage("huge", 1023).Eos().Device(9, "d", [0]).End().ToArray();
        using var folder = new TemporaryFolder();

        Assert.Null(Replay.Receive(stream, folder.File("out")).Error);

        using var file = StreamFile.Open(folder.File("out"));
        var report = StreamAnalyzer.Analyze(file);
        Assert.Null(report.Break);
        Assert.DoesNotContain(report.Commands, c => c.Name == "POSTCOPY_ADVISE");
        Assert.Equal(["huge", "plain"], report.Blocks.Select(b => b.Block.Name));
        Assert.All(report.Blocks, b => Assert.Null(b.Block.PageSize));
        Assert.Equal(shared ? [0x80000000UL, 0x200000UL] : new ulong?[] { null, null }, report.Blocks.Select(b => b.Block.Address));
    }

    [Fact]
    public void A_change_to_a_page_that_never_came_is_refused()
    {
        var stream = new StreamBuilder().RamStart(("a", 2)).Ram(SectionType.Part).XbzrlePage("a", 1, [0, 1, 1]).Eos().ToArray();
        using var folder = new TemporaryFolder();

        var error = Assert.IsType<MigrationStreamException>(Replay.Receive(stream, folder.File("out")).Error);

        Assert.Equal("XBZRLE", error.Field);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void A_block_list_of_petabytes_costs_nothing()
    {
        var stream = new StreamBuilder()
            .Write(static (ref WireWriter w) =>
            {
                var ram = new SectionHeader(SectionType.Start, 2, "ram", 0, 4);
                ram.Write(ref w);
                RamItem.WriteMemSize(ref w, 1UL << 52);
                w.Counted("a");
                w.UInt64(1UL << 52);
                RamItem.WriteEos(ref w);
                ram.WriteFooter(ref w);
            })
            .Ram(SectionType.Part).ZeroPage("a", 0).ZeroPage("a", 500000000 / 4096).Eos().Ram(SectionType.End).Eos().Device(9, "d", [0]).End().ToArray();
        using var folder = new TemporaryFolder();

        var (summary, error, _) = Replay.Receive(stream, folder.File("out"));

        Assert.Null(error);
        Assert.Equal(2, summary!.ZeroPages);
    }

    private static RamModel Check(byte[] stream)
    {
        using var folder = new TemporaryFolder();
        Assert.Null(Replay.Receive(stream, folder.File("out"), step: 30011).Error);
        var sent = RamModel.Read(stream);
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.Equal(sent.Pages.Keys, kept.Pages.Keys);
        Assert.All(sent.Pages, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
        Assert.All(kept.Versions, v => Assert.Equal(1, v.Value));
        return kept;
    }

    private static void AddRandom(StreamBuilder builder, Dictionary<(string, int), byte[]> pages, Random random)
    {
        var block = random.Next(2) == 0 ? "ram0" : "ram1";
        var page = random.Next(40);
        var known = pages.GetValueOrDefault((block, page));
        switch (random.Next(3))
        {
            case 0:
                builder.ZeroPage(block, page);
                pages[(block, page)] = new byte[4096];
                break;
            case 1 when known is not null:
                var changed = (byte[])known.Clone();
                changed[random.Next(4096)] ^= 0x5a;
                var encoded = new byte[4096];
                builder.XbzrlePage(block, page, encoded[..Xbzrle.Encode(known, changed, encoded)]);
                pages[(block, page)] = changed;
                break;
            default:
                var bytes = new byte[4096];
                random.NextBytes(bytes);
                builder.Page(block, page, bytes);
                pages[(block, page)] = bytes;
                break;
        }
    }

    private static byte[] Page(int seed)
    {
        var page = new byte[4096];
        new Random(seed).NextBytes(page);
        return page;
    }
}
