using System.Text;
using Godwit.Archive.Analyze;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

/// <summary>Sources that don't keep to the format: what is received is whole, or nothing is.</summary>
public sealed class ReceiveHostileTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 60;

    public static TheoryData<string> Receivable => [.. Golden.Receivable.Where(n => n != "virt-10.0-no-description")];

    /// <summary>Whatever is done to a stream: if it is received, the file is valid and holds what a destination would have held.</summary>
    [Theory]
    [MemberData(nameof(Receivable))]
    public void A_mutated_stream_gives_a_valid_file_or_none(string name)
    {
        var original = Golden.Stream(name);
        var random = new Random(name.Length);
        var head = RamModel.Read(original).Devices.Length;
        for (var round = 0; round < Rounds; round++)
        {
            var stream = (byte[])original.Clone();
            for (var change = random.Next(1, 3); change > 0; change--)
                stream[random.Next(3) == 0 ? stream.Length - 1 - random.Next(head) : random.Next(random.Next(2) == 0 ? 400 : stream.Length - head)] ^= (byte)(1 << random.Next(8));
            using var folder = new TemporaryFolder();

            var (summary, error, _) = Replay.Receive(stream, folder.File("out"));

            if (summary is null)
            {
                Assert.True(error is MigrationStreamException or IOException, error?.ToString());
                Assert.Empty(folder.Names);
                continue;
            }

            using var file = StreamFile.Open(folder.File("out"));
            var verdict = StreamVerifier.Verify(file);
            Assert.All(verdict.Problems, p => Assert.NotEqual(SectionHeader.RamName, p.Section));
            var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
            var sent = RamModel.Read(stream);
            Assert.Equal(sent.Pages.Keys, kept.Pages.Keys);
            Assert.All(sent.Pages, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
        }
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "pages in START", Start(static (ref WireWriter w) =>
            {
                RamItem.WriteMemSize(ref w, 8192);
                new RamBlock(0, "a", 8192).Write(ref w);
                RamItem.WriteZeroPage(ref w, 0, "a");
            }) },
        { "START without block list", Start(static (ref WireWriter w) => { }) },
        { "a block list in PART", new StreamBuilder().RamStart(("a", 1)).Ram(SectionType.Part)
            .Write(static (ref WireWriter w) => RamItem.WriteMemSize(ref w, 0)).Eos().ToArray() },
        { "memory twice", new StreamBuilder().RamStart(("a", 1))
            .Write(static (ref WireWriter w) => new SectionHeader(SectionType.Start, 8, "ram", 1, 4).Write(ref w)).ToArray() },
        { "memory as a device", new StreamBuilder().RamStart(("a", 1))
            .Write(static (ref WireWriter w) => new SectionHeader(SectionType.Full, 8, "ram", 0, 4).Write(ref w)).ToArray() },
        { "a block name that isn't ASCII", Start(static (ref WireWriter w) =>
            {
                RamItem.WriteMemSize(ref w, 4096);
                w.Byte(2);
                w.Byte(0xff);
                w.Byte(0xfe);
                w.UInt64(4096);
            }) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_QEMU_never_sends_is_refused(string what, byte[] stream)
    {
        using var folder = new TemporaryFolder();

        var (_, error, _) = Replay.Receive(stream, folder.File("out"));

        Assert.True(error is MigrationStreamException e && e.Section.StartsWith("ram", StringComparison.Ordinal), $"{what}: {error}");
        Assert.DoesNotContain("the stream ends here", error.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    /// <summary>A description that promises less devices than came, planted into one of them.</summary>
    [Fact]
    public void A_planted_description_after_an_early_device_ends_nothing()
    {
        byte[] planted = [0, 6, 0, 0, 0, 14, .. Encoding.ASCII.GetBytes("{\"devices\":[]}")];
        var stream = new StreamBuilder().Device(3, "early", [1]).RamStart(("a", 1)).Ram(SectionType.End).ZeroPage("a", 0).Eos()
            .Device(9, "late", [.. planted, 7]).End().ToArray();
        using var folder = new TemporaryFolder();

        Assert.Null(Replay.Receive(stream, folder.File("out")).Error);

        using var file = StreamFile.Open(folder.File("out"));
        Assert.Empty(StreamVerifier.Verify(file).Problems);
    }

    [Fact]
    public void Two_receives_to_one_name_do_not_mix()
    {
        using var folder = new TemporaryFolder();
        using (var first = new Receive.PartialFile(folder.File("out")))
        {
            Assert.IsAssignableFrom<IOException>(Replay.Receive(Golden.Stream("virt-11.1"), folder.File("out")).Error);
            first.Append([1, 2, 3]);
            first.Commit(sync: true);
        }

        Assert.Equal([1, 2, 3], File.ReadAllBytes(folder.File("out")));
    }

    [Fact]
    public void A_file_that_is_withdrawn_gives_back_the_older_one()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("out"), "older");
        using (var file = new Receive.PartialFile(folder.File("out")))
        {
            file.Append([1]);
            file.Commit(sync: false);
            file.Withdraw();
        }

        Assert.Equal("older", File.ReadAllText(folder.File("out")));
        Assert.Equal(["out"], folder.Names);
    }

    /// <summary>Return path, no footers, no description: nothing can prove the end, and the guest stands still until somebody speaks.</summary>
    [Fact]
    public void A_source_that_waits_for_a_word_that_cant_be_given_gets_its_guest_back()
    {
        var ram = new SectionHeader(SectionType.Start, 2, "ram", 0, 4);
        var stream = new StreamBuilder().Command(CommandType.OpenReturnPath)
            .Write((ref WireWriter w) =>
            {
                ram.Write(ref w);
                RamItem.WriteMemSize(ref w, 4096);
                new RamBlock(0, "a", 4096).Write(ref w);
                RamItem.WriteEos(ref w);
                (ram with { Type = SectionType.End }).Write(ref w);
                RamItem.WriteZeroPage(ref w, 0, "a");
                RamItem.WriteEos(ref w);
                new SectionHeader(SectionType.Full, 3, "d", 0, 1).Write(ref w);
                w.UInt32(5);
                w.Byte((byte)SectionType.Eof);
            }).ToArray();
        using var folder = new TemporaryFolder();

        var (_, error, answers) = Replay.Receive(stream, folder.File("out"), waitForShut: true);

        Assert.IsType<MigrationStreamException>(error);
        Assert.Equal(new ReturnPathMessage(ReturnPathType.Shut, Value: 1), answers[^1]);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Eight_KiB_pages_are_found_whatever_comes_first()
    {
        var page = new byte[8192];
        new Random(3).NextBytes(page);
        var ram = new SectionHeader(SectionType.Start, 2, "ram", 0, 4);
        var stream = new StreamBuilder()
            .Write((ref WireWriter w) =>
            {
                ram.Write(ref w);
                RamItem.WriteMemSize(ref w, 1 << 20);
                new RamBlock(0, "a", 1 << 19).Write(ref w);
                new RamBlock(0, "b", 1 << 19).Write(ref w);
                RamItem.WriteEos(ref w);
                ram.WriteFooter(ref w);
                (ram with { Type = SectionType.End }).Write(ref w);
                RamItem.WriteZeroPage(ref w, 0, "a");
                RamItem.WriteZeroPage(ref w, 0x4000, "b");
                RamItem.WriteHeader(ref w, 0x6000, RamFlags.Page, null);
                w.Bytes(page);
                RamItem.WriteHeader(ref w, 0x8000, RamFlags.Page, null);
                w.Bytes(page);
                RamItem.WriteZeroPage(ref w, 0x2000, "a");
            }).Eos().Device(9, "d", [0]).Write(static (ref WireWriter w) => w.Byte(0)).ToArray();
        using var folder = new TemporaryFolder();

        var (summary, error, _) = Replay.Receive(stream, folder.File("out"));

        Assert.Null(error);
        Assert.Equal((8192, 2L, 3L), (summary!.PageSize, summary.StoredPages, summary.ZeroPages));
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.Equal(page, kept.Pages[("b", 0x8000)]);
        Assert.Equal(5, kept.Pages.Count);
    }

    private static byte[] Start(StreamBuilder.Writing body) => new StreamBuilder().Write((ref WireWriter w) =>
    {
        var ram = new SectionHeader(SectionType.Start, 2, "ram", 0, 4);
        ram.Write(ref w);
        body(ref w);
        RamItem.WriteEos(ref w);
        ram.WriteFooter(ref w);
    }).ToArray();
}
