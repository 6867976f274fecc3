using Godwit.Archive.Analyze;
using Godwit.Archive.Receive;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Tests;

/// <summary>What real QEMUs sent, received over a socket.</summary>
public sealed class ReceiveGoldenTests
{
    public static TheoryData<string> Receivable => [.. Golden.Receivable];

    [Theory]
    [MemberData(nameof(Receivable))]
    public void The_file_holds_each_page_once_in_its_last_version_and_the_same_devices(string name)
    {
        using var folder = new TemporaryFolder();
        var stream = Golden.Stream(name);
        var hasReturnPath = Golden.Returns.Contains(name);

        var (summary, error, answers) = Replay.Receive(stream, folder.File("out"), waitForShut: hasReturnPath);

        Assert.Null(error);
        var sent = RamModel.Read(stream);
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.Equal(sent.Pages.Keys, kept.Pages.Keys);
        Assert.All(sent.Pages, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
        Assert.All(kept.Versions, v => Assert.Equal(1, v.Value));
        Assert.Equal(sent.Devices, kept.Devices);
        Assert.Equal(sent.Pages.Count, summary!.StoredPages + summary.ZeroPages);
        Assert.Equal(sent.Versions.Values.Sum() - sent.Pages.Count, summary.RewrittenPages);
        Assert.Equal(hasReturnPath, summary.ReturnPath);
        Assert.Equal(["out"], folder.Names);
        if (hasReturnPath)
            Assert.Equal(new ReturnPathMessage(ReturnPathType.Shut), answers[^1]);
    }

    [Theory]
    [MemberData(nameof(Receivable))]
    public void The_file_is_a_valid_stream_without_what_is_between_the_two_ends_only(string name)
    {
        using var folder = new TemporaryFolder();
        Replay.Receive(Golden.Stream(name), folder.File("out"), waitForShut: Golden.Returns.Contains(name));

        using var file = StreamFile.Open(folder.File("out"));
        var verdict = StreamVerifier.Verify(file);

        Assert.Empty(verdict.Problems);
        Assert.All(verdict.Report.Commands, c => Assert.Equal("SWITCHOVER_START", c.Name));
        Assert.Equal(0, verdict.Report.Blocks.Sum(b => b.Again));
    }

    [Theory]
    [MemberData(nameof(Receivable))]
    public void A_received_file_received_again_is_the_same_to_the_byte(string name)
    {
        using var folder = new TemporaryFolder();
        Replay.Receive(Golden.Stream(name), folder.File("first"), waitForShut: Golden.Returns.Contains(name));

        var first = File.ReadAllBytes(folder.File("first"));
        Replay.Receive(first, folder.File("second"), step: 5003);

        Assert.Equal(first, File.ReadAllBytes(folder.File("second")));
    }

    [Theory]
    [InlineData("virt-11.1", 1)]
    [InlineData("pc-10.0", 1)]
    [InlineData("virt-10.0-xbzrle", 4099)]
    [InlineData("virt-10.0-no-footers", 777)]
    public void How_the_bytes_are_split_changes_nothing(string name, int step)
    {
        using var folder = new TemporaryFolder();
        var returnPath = Golden.Returns.Contains(name);
        Replay.Receive(Golden.Stream(name), folder.File("whole"), waitForShut: returnPath);

        Replay.Receive(Golden.Stream(name), folder.File("split"), step, waitForShut: returnPath);

        Assert.Equal(File.ReadAllBytes(folder.File("whole")), File.ReadAllBytes(folder.File("split")));
    }

    [Theory]
    [InlineData("virt-11.1-postcopy", "postcopy-ram")]
    [InlineData("virt-10.0-multifd", "multifd")]
    public void What_is_not_supported_is_refused_by_name(string name, string capability)
    {
        using var folder = new TemporaryFolder();

        var (_, error, answers) = Replay.Receive(Golden.Stream(name), folder.File("out"));

        Assert.Equal(capability, Assert.IsType<MigrationStreamException>(error).Unsupported);
        Assert.Empty(folder.Names);
        Assert.DoesNotContain(new ReturnPathMessage(ReturnPathType.Shut), answers);
    }

    [Theory]
    [InlineData("virt-10.0-xbzrle")]
    [InlineData("pc-10.0")]
    public void A_stream_cut_anywhere_leaves_no_file_and_tells_the_source(string name)
    {
        var stream = Golden.Stream(name);
        var cuts = Enumerable.Range(1, 12).Select(i => stream.Length * i / 13).Concat([1, 9, 40, stream.Length - 1, stream.Length - 2000]);
        foreach (var cut in cuts)
        {
            using var folder = new TemporaryFolder();

            var (_, error, answers) = Replay.Receive(stream[..cut], folder.File("out"));

            Assert.Equal(cut, Assert.IsType<MigrationStreamException>(error).Offset);
            Assert.Empty(folder.Names);
            Assert.DoesNotContain(new ReturnPathMessage(ReturnPathType.Shut), answers);
            if (cut > 60)
                Assert.Equal(ReturnPathType.Shut, answers[^1].Type);
        }
    }

    [Fact]
    public void A_file_that_cant_be_made_leaves_the_guest_to_the_source()
    {
        using var folder = new TemporaryFolder();

        var (_, error, answers) = Replay.Receive(Golden.Stream("pc-10.0"), folder.File("no/such/folder/out"));

        Assert.IsAssignableFrom<IOException>(error);
        Assert.DoesNotContain(new ReturnPathMessage(ReturnPathType.Shut), answers);
    }

    [Fact]
    public void An_older_file_is_replaced_only_by_a_whole_one()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("out"), "older");

        Replay.Receive(Golden.Stream("virt-11.1")[..50000], folder.File("out"));
        Assert.Equal("older", File.ReadAllText(folder.File("out")));

        Replay.Receive(Golden.Stream("virt-11.1"), folder.File("out"));
        Assert.NotEqual("older", File.ReadAllText(folder.File("out")));
        Assert.Equal(["out"], folder.Names);
    }

    [Fact]
    public void How_sure_the_end_is_is_said()
    {
        using var folder = new TemporaryFolder();

        Assert.Equal(EndProof.Description, Replay.Receive(Golden.Stream("virt-11.1"), folder.File("a")).Summary!.Proof);
        Assert.Equal(EndProof.Description, Replay.Receive(Golden.Stream("virt-10.0-no-footers"), folder.File("b")).Summary!.Proof);
        Assert.Equal(EndProof.Footers, Replay.Receive(Golden.Stream("virt-10.0-no-description"), folder.File("c"), waitForShut: true).Summary!.Proof);
    }
}
