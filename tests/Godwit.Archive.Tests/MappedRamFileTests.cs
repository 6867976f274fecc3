using Godwit.Archive.Analyze;
using Godwit.Archive.Convert;
using Godwit.Archive.Receive;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

/// <summary>Files with a place for each page, of real QEMUs and made here: read, made of streams, made into streams.</summary>
public sealed class MappedRamFileTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 60;

    public static TheoryData<string> Files => [.. Golden.Mapped];

    public static TheoryData<string> Streams => [.. Golden.Receivable.Where(n => !n.Contains("ignore-shared", StringComparison.Ordinal) && !n.Contains("no-description", StringComparison.Ordinal))];

    public static TheoryData<string> Captures => [.. Golden.MultifdOfAny];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_of_QEMU_s_is_understood(string name)
    {
        using var folder = new TemporaryFolder();
        var model = MappedModel.Read(Golden.MappedFile(name), Golden.MappedOffset(name));
        File.WriteAllBytes(folder.File("in"), Golden.MappedFile(name));
        using var file = StreamFile.Open(folder.File("in"), Golden.MappedOffset(name));

        var verdict = StreamVerifier.Verify(file);

        Assert.Empty(verdict.Problems);
        var blocks = verdict.Report.Blocks;
        Assert.Equal(model.Pages.Count, blocks.Sum(b => b.Pages));
        Assert.Equal((model.Stored, model.Pages.Count - model.Stored, 0), (blocks.Sum(b => b.Stored), blocks.Sum(b => b.Zero), blocks.Sum(b => b.Missing)));
        Assert.All(verdict.Report.Sections.Where(s => s.Header.Type == SectionType.Full), s => Assert.Equal(SectionProof.Described, s.Proof));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_of_QEMU_s_becomes_a_stream_with_the_same_memory(string name)
    {
        using var folder = new TemporaryFolder();
        var expected = MappedModel.Read(Golden.MappedFile(name), Golden.MappedOffset(name));
        File.WriteAllBytes(folder.File("in"), Golden.MappedFile(name));

        var summary = Convert(folder, "in", "out", StreamFormat.Stream, Golden.MappedOffset(name));

        Assert.Equal((StreamFormat.MappedRam, new FileInfo(folder.File("out")).Length), (summary.From, summary.FileLength));
        var stream = File.ReadAllBytes(folder.File("out"));
        var kept = RamModel.Read(stream);
        AssertSame(expected.Pages, kept.Pages);
        Assert.Equal(expected.Devices, kept.Devices);
        Assert.All(kept.Versions, v => Assert.Equal(1, v.Value));
        AssertValid(folder.File("out"), capabilities: null);
        Assert.Equal(["in", "out"], folder.Names.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_becomes_a_file_with_the_same_memory_and_that_the_same_stream(string name)
    {
        using var folder = new TemporaryFolder();
        var expected = RamModel.Read(Golden.Stream(name));
        File.WriteAllBytes(folder.File("in"), Golden.Stream(name));

        Convert(folder, "in", "mapped", StreamFormat.MappedRam);
        Convert(folder, "mapped", "again", StreamFormat.Stream);

        var mapped = MappedModel.Read(File.ReadAllBytes(folder.File("mapped")));
        var again = RamModel.Read(File.ReadAllBytes(folder.File("again")));
        Assert.All(expected.Pages, p => Assert.Equal(p.Value, mapped.Pages[p.Key]));
        Assert.DoesNotContain(mapped.Pages, p => p.Value.Length > 0 && !expected.Pages.ContainsKey(p.Key));
        AssertSame(mapped.Pages, again.Pages);
        Assert.Equal(expected.Devices, again.Devices);
        AssertValid(folder.File("mapped"), ["mapped-ram"]);
        AssertValid(folder.File("again"), capabilities: null);
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void Pages_of_multifd_channels_go_to_their_places(string name)
    {
        using var folder = new TemporaryFolder();
        var pageBits = name.StartsWith("alpha", StringComparison.Ordinal) ? 13 : 12;
        byte[][] channels = [Golden.Channel(name, 0), Golden.Channel(name, 1)];

        var (summary, error, _) = ReplayChannels.Receive(Golden.Stream(name), channels, folder.File("out"), new ReceiveOptions { Format = StreamFormat.MappedRam });

        Assert.Null(error);
        var expected = MultifdModel.Read(Golden.Stream(name), channels, pageBits);
        var kept = MappedModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.All(expected, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
        Assert.Equal((kept.Stored, kept.Pages.Count - kept.Stored), (summary!.StoredPages, summary.ZeroPages));
        AssertValid(folder.File("out"), ["mapped-ram"]);
    }

    [Fact]
    public void A_file_is_no_longer_than_its_blocks()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("in"), Golden.Stream("virt-10.0-xbzrle"));
        var summary = Convert(folder, "in", "out", StreamFormat.MappedRam);
        using var file = StreamFile.Open(folder.File("out"));
        var blocks = StreamAnalyzer.Analyze(file).Blocks;
        var last = blocks[^1].Block;
        var devices = MappedModel.Read(File.ReadAllBytes(folder.File("out"))).Devices.Length;
        Assert.InRange(summary.FileLength, (long)(last.Mapped!.Value.PagesOffset + last.Length), (long)(last.Mapped!.Value.PagesOffset + last.Length) + devices + 64);
        Assert.All(blocks, b => Assert.Equal(0UL, b.Block.Mapped!.Value.PagesOffset % (1 << 20)));
    }

    [Fact]
    public void What_can_not_be_converted_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("shared"), Golden.Stream("virt-10.0-ignore-shared"));
        File.WriteAllBytes(folder.File("mapped"), Golden.MappedFile(Golden.Mapped.First(n => Golden.MappedOffset(n) == 0)));
        File.WriteAllText(folder.File("text"), "to be or not to be");
        File.WriteAllBytes(folder.File("bare"), Golden.Stream("virt-10.0-no-description"));

        Assert.Contains("x-ignore-shared", Assert.Throws<MigrationStreamException>(() => Convert(folder, "shared", "out", StreamFormat.MappedRam)).Message, StringComparison.Ordinal);
        Assert.Contains("is a mapped-ram file already", Assert.Throws<NotSupportedException>(() => Convert(folder, "mapped", "out", StreamFormat.MappedRam)).Message, StringComparison.Ordinal);
        Assert.Contains("magic", Assert.Throws<MigrationStreamException>(() => Convert(folder, "text", "out", StreamFormat.MappedRam)).Message, StringComparison.Ordinal);
        Assert.Contains("magic", Assert.Throws<MigrationStreamException>(() => Convert(folder, "text", "out", StreamFormat.Stream)).Message, StringComparison.Ordinal);
        Assert.Contains("a stream without a configuration", Assert.Throws<MigrationStreamException>(() => Convert(folder, "bare", "out", StreamFormat.MappedRam)).Message, StringComparison.Ordinal);
        Assert.Equal(["bare", "mapped", "shared", "text"], folder.Names.Order(StringComparer.Ordinal));
    }

    /// <summary>Nothing is made for memory that a list only claims.</summary>
    [Theory]
    [InlineData(0x7ffffffffffff000UL)]
    [InlineData(0x4000000000000000UL)]
    public void A_block_too_long_for_any_file_is_an_error(ulong length)
    {
        using var folder = new TemporaryFolder();
        var ram = new SectionHeader(SectionType.Start, 2, SectionHeader.RamName, 0, 4);
        var builder = new StreamBuilder().Write((ref WireWriter w) =>
        {
            new ConfigurationSection("pc").Write(ref w);
            ram.Write(ref w);
            RamItem.WriteMemSize(ref w, length);
            new RamBlock(0, "a", length).Write(ref w);
            RamItem.WriteEos(ref w);
            ram.WriteFooter(ref w);
        });
        File.WriteAllBytes(folder.File("in"), builder.ToArray());

        var error = Record.Exception(() => Convert(folder, "in", "out", StreamFormat.MappedRam));

        Assert.True(error is MigrationStreamException or IOException, error?.ToString());
        Assert.Equal(["in"], folder.Names);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_cut_short_breaks_where_it_is_cut(string name)
    {
        using var folder = new TemporaryFolder();
        var whole = Golden.MappedFile(name);
        foreach (var length in new[] { 10, 100, 0x8000, 0x180000, 0x500020, whole.Length - 1 }.Where(l => l > Golden.MappedOffset(name)))
        {
            File.WriteAllBytes(folder.File("in"), whole[..length]);
            using (var file = StreamFile.Open(folder.File("in"), Golden.MappedOffset(name)))
                Assert.NotEmpty(StreamVerifier.Verify(file).Problems);
            Assert.Throws<MigrationStreamException>(() => Convert(folder, "in", "out", StreamFormat.Stream, Golden.MappedOffset(name)));
            Assert.Equal(["in"], folder.Names);
        }
    }

    /// <summary>Whatever is done to a file: what is made of it is a valid stream, or nothing is.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Mutated_files_give_a_valid_stream_or_none(string name)
    {
        var random = new Random(name.Length);
        var pages = 0x100000;
        for (var round = 0; round < Rounds; round++)
        {
            using var folder = new TemporaryFolder();
            var bytes = (byte[])Golden.MappedFile(name).Clone();
            for (var change = random.Next(1, 3); change > 0; change--)
            {
                var (first, last) = random.Next(3) switch
                {
                    0 => (Golden.MappedOffset(name), Golden.MappedOffset(name) + 0x100),
                    1 => (bytes.Length - 4000, bytes.Length),
                    _ => (0x500000, 0x500000 + (pages / 1000)),
                };
                bytes[random.Next(first, last)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(folder.File("in"), bytes);
            using (var file = StreamFile.Open(folder.File("in"), Golden.MappedOffset(name)))
                StreamVerifier.Verify(file);
            var error = Record.Exception(() => Convert(folder, "in", "out", StreamFormat.Stream, Golden.MappedOffset(name)));
            if (error is null)
                AssertReadable(folder.File("out"));
            else
                Assert.True(error is MigrationStreamException or IOException or NotSupportedException, error.ToString());
        }
    }

    private static ConvertSummary Convert(TemporaryFolder folder, string input, string output, StreamFormat to, int offset = 0) =>
        Converter.Convert(folder.File(input), offset, folder.File(output), to, pageSize: null, new ReceiveProgress(), CancellationToken.None);

    private static void AssertSame(SortedDictionary<(string Block, ulong Offset), byte[]> expected, SortedDictionary<(string Block, ulong Offset), byte[]> kept)
    {
        Assert.Equal(expected.Keys, kept.Keys);
        Assert.All(expected, p => Assert.Equal(p.Value, kept[p.Key]));
    }

    private static void AssertValid(string path, string[]? capabilities)
    {
        using var file = StreamFile.Open(path);
        var verdict = StreamVerifier.Verify(file);
        Assert.Empty(verdict.Problems);
        Assert.Equal(capabilities, verdict.Report.Configuration?.Capabilities);
    }

    private static void AssertReadable(string path)
    {
        using var file = StreamFile.Open(path);
        Assert.Null(StreamAnalyzer.Analyze(file).Break);
    }
}
