using Godwit.Archive.Analyze;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

public sealed class AnalyzeTests
{
    public static TheoryData<string> Whole => [.. Golden.Receivable];

    [Theory]
    [MemberData(nameof(Whole))]
    public void Counts_are_those_of_the_model(string name)
    {
        var stream = Golden.Stream(name);
        var model = RamModel.Read(stream);

        var report = Analyze(stream);

        Assert.Null(report.Break);
        foreach (var block in report.Blocks)
        {
            var pages = model.Pages.Where(p => p.Key.Block == block.Block.Name).ToList();
            Assert.Equal(pages.Count, block.Stored + block.Zero);
            Assert.True(block.Zero <= pages.Count(p => p.Value.All(b => b == 0)));
            Assert.Equal(block.Pages - pages.Count, block.Missing);
        }
    }

    [Theory]
    [MemberData(nameof(Whole))]
    public void Every_described_device_decodes_to_its_last_byte(string name)
    {
        if (name.EndsWith("no-description", StringComparison.Ordinal))
            return;
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("s"), Golden.Stream(name));
        using var file = StreamFile.Open(folder.File("s"));
        var report = StreamAnalyzer.Analyze(file);
        var devices = report.Sections.Where(s => s.Header.Type == SectionType.Full).ToList();

        Assert.NotEmpty(devices);
        Assert.All(devices, d => Assert.Equal(SectionProof.Described, d.Proof));
        Assert.All(devices, d => Assert.Null(DeviceDecoder.Decode(file, d).Break));
        Assert.All(devices, d => Assert.Equal(d.Length, DeviceDecoder.Decode(file, d).Fields.Sum(f => f.Length)));
    }

    [Fact]
    public void Nested_structs_arrays_and_subsections_of_a_real_device_are_there()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("s"), Golden.Stream("pc-10.0"));
        using var file = StreamFile.Open(folder.File("s"));
        var report = StreamAnalyzer.Analyze(file);

        var cpu = DeviceDecoder.Decode(file, report.Sections.Single(s => s.Header.Name == "cpu"));
        var pm = DeviceDecoder.Decode(file, report.Sections.Single(s => s.Header.Name.EndsWith("piix4_pm", StringComparison.Ordinal)));

        Assert.Equal("0x000000000000fff0", cpu.Fields.Single(f => f.Name == "env.eip").Text);
        Assert.Contains(cpu.Fields, f => f.Name == "env.regs" && f.Children.Count == 16);
        Assert.Contains(cpu.Fields, f => f.IsSubsection);
        Assert.Contains(pm.Fields, f => f.Children.Count > 0 && !f.IsSubsection);
    }

    [Theory]
    [InlineData("pc-10.0")]
    [InlineData("virt-10.0-xbzrle")]
    [InlineData("virt-10.0-no-footers")]
    public void A_file_cut_anywhere_shows_what_came_before_and_where_it_breaks(string name)
    {
        var stream = Golden.Stream(name);
        var whole = Analyze(stream);
        var cuts = Enumerable.Range(1, 300).Select(i => (int)((long)stream.Length * i / 301)).Concat(Enumerable.Range(0, 120));
        foreach (var cut in cuts)
        {
            var report = Analyze(stream[..cut]);
            if (report.Break is null)
            {
                Assert.Equal((byte)SectionType.Eof, stream[cut - 1]);
                continue;
            }

            Assert.InRange(report.Break.Offset, 0, cut);
            Assert.True(report.Sections.Count <= whole.Sections.Count);
            Assert.Equal(whole.Sections.Take(Math.Max(0, report.Sections.Count - 1)).Select(s => s.Header), report.Sections.SkipLast(1).Select(s => s.Header));
        }
    }

    [Theory]
    [MemberData(nameof(Whole))]
    public void A_mutated_file_is_analyzed_and_verified_to_an_answer(string name)
    {
        var random = new Random(5);
        for (var round = 0; round < 40; round++)
        {
            var stream = (byte[])Golden.Stream(name).Clone();
            for (var change = 0; change < 3; change++)
                stream[random.Next(2) == 0 ? random.Next(300) : stream.Length - 1 - random.Next(Math.Min(30000, stream.Length))] = (byte)random.Next(256);
            using var folder = new TemporaryFolder();
            File.WriteAllBytes(folder.File("s"), stream);
            using var file = StreamFile.Open(folder.File("s"));
            var verdict = StreamVerifier.Verify(file);
            Assert.True(verdict.Report.Break is null || verdict.Problems.Count > 0);
        }
    }

    [Fact]
    public void Verify_finds_a_description_of_other_devices()
    {
        var stream = new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Device(9, "real", [1, 2, 3, 4]).Device(10, "hidden", [0], described: false).End().ToArray();

        var verdict = Verify(stream);

        Assert.Contains(verdict.Problems, p => p.Section == "hidden");
    }

    [Fact]
    public void Verify_finds_a_zero_page_that_isnt()
    {
        var stream = new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Device(9, "d", [0]).End().ToArray();
        stream[stream.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[2, 1, (byte)'a', 0]) + 3] = 0x41;

        Assert.Equal("fill", Assert.Single(Verify(stream).Problems).Field);
    }

    [Fact]
    public void Verify_finds_trailing_bytes_and_a_wrong_page_size()
    {
        var good = new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Device(9, "d", [0]);

        Assert.Empty(Verify(new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Device(9, "d", [0]).End().ToArray()).Problems);
        Assert.Equal("end", Assert.Single(Verify([.. good.End().ToArray(), 1]).Problems).Field);
        var other = new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos().Raw(0).Description("""{"page_size": 65536, "devices": []}""").ToArray();
        Assert.Equal("page_size", Assert.Single(Verify(other).Problems).Field);
    }

    private static StreamReport Analyze(byte[] stream)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("s"), stream);
        using var file = StreamFile.Open(folder.File("s"));
        return StreamAnalyzer.Analyze(file);
    }

    private static StreamVerdict Verify(byte[] stream)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("s"), stream);
        using var file = StreamFile.Open(folder.File("s"));
        return StreamVerifier.Verify(file);
    }
}
