using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Streams with live sections that are split anywhere, cut, or wrong.</summary>
public sealed class LiveSectionHostileTests
{
    private static readonly SectionHeader Disk = new(SectionType.Start, 9, "disk", 0, 2);

    private static readonly byte[] Setup = [0, 0, 0, 2, 0, 0, 0, 3];

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1 << 16)]
    public void However_it_is_split(int step)
    {
        var (machine, disk, stream) = Recorded();
        using (machine)
        {
            var run = IncomingRun.Play(machine, stream, step);
            Assert.Equal("", run.Error);
            Assert.Equal("070707080808", Convert.ToHexString(disk.Content));
        }
    }

    [Fact]
    public void Cut_anywhere_within_it_never_starts_a_guest()
    {
        var stream = Recorded().Stream;
        var begins = stream.AsSpan().IndexOf("disk"u8) - 6;
        var ends = stream.AsSpan().LastIndexOf((byte[])[(byte)SectionType.Footer, 0, 0, 0, 9]) + 5;
        for (var cut = begins; cut <= ends; cut++)
        {
            var (machine, disk, _) = Recorded();
            using (machine)
            {
                var run = IncomingRun.Play(machine, stream[..cut]);
                IncomingTests.AssertFailed(machine, run, "the stream ends here");
                Assert.EndsWith("load cleanup", disk.Calls, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_section_without_its_end_is_refused() =>
        AssertRefused(b => Part(b, SectionType.Part, 0), "the stream's end comes before the end of this section, id 9");

    [Fact]
    public void A_part_after_the_end_is_refused() =>
        AssertRefused(b => Part(Part(b, SectionType.End, 0), SectionType.Part, 0), "the section has ended already");

    [Fact]
    public void A_second_start_is_refused() =>
        AssertRefused(b => Put(b, Disk with { Id = 10 }, Setup), "the section begins twice");

    [Fact]
    public void What_a_section_refuses_is_named_with_its_place() =>
        AssertRefused(b => Part(b, SectionType.Part, 1, 0, 0, 0, 2), "section 'disk', field 'index': there is no such block");

    [Fact]
    public void An_approval_that_was_not_agreed_on_is_refused() =>
        AssertRefused(b => Part(b, SectionType.Part, 2, 0), "the source wants its switchover approved, and capability switchover-ack is off here");

    [Fact]
    public void An_approval_without_a_return_path_is_refused() =>
        AssertRefused(b => Part(b, SectionType.Part, 2, 0), "the source wants its switchover approved, and there is no return path", "return-path", "switchover-ack");

    [Fact]
    public void A_second_SWITCHOVER_START_is_refused() =>
        AssertRefused(b => b.Command(CommandType.SwitchoverStart).Command(CommandType.SwitchoverStart), "it comes twice");

    [Fact]
    public void Memory_without_its_end_is_refused()
    {
        var stream = new StreamBuilder(new ConfigurationSection("virt")).RamStart(("a", 8)).Ram(SectionType.Part).ZeroPage("a", 3).Eos().End().ToArray();
        using var machine = new RecordedMachine(stream);
        IncomingTests.AssertFailed(machine, IncomingRun.Play(machine, stream), "section 'ram', field 'section type': the stream's end comes before the end");
    }

    private static void AssertRefused(Action<StreamBuilder> then, string error, params string[] capabilities)
    {
        var builder = Put(Begin(), Disk, Setup);
        then(builder);
        var stream = builder.Ram(SectionType.End).Eos().End().ToArray();
        var (machine, _, _) = Recorded();
        using (machine)
            IncomingTests.AssertFailed(machine, IncomingRun.Play(machine, stream, capabilities: capabilities), error);
    }

    private static (RecordedMachine Machine, LiveBlocks Disk, byte[] Stream) Recorded()
    {
        var builder = Put(Begin(), Disk, Setup);
        builder = Part(builder, SectionType.Part, 1, 0, 0, 0, 1, 9, 9, 9, 0);
        builder = Part(builder, SectionType.Part, 1, 0, 0, 0, 0, 7, 7, 7, 1, 0, 0, 0, 1, 8, 8, 8, 0);
        builder = Part(builder.Command(CommandType.SwitchoverStart).Ram(SectionType.End).Eos(), SectionType.End, 0);
        var disk = new LiveBlocks("disk", 2, 3, empty: true);
        return (new RecordedMachine(IncomingTests.Small(new ConfigurationSection("virt")).ToArray()) { LiveSections = [disk] }, disk, builder.End().ToArray());
    }

    private static StreamBuilder Begin() => new StreamBuilder(new ConfigurationSection("virt")).RamStart(("a", 8));

    private static StreamBuilder Part(StreamBuilder builder, SectionType type, params byte[] body) => Put(builder, Disk with { Type = type }, body);

    private static StreamBuilder Put(StreamBuilder builder, SectionHeader header, byte[] body) =>
        builder.Write((ref Wire.WireWriter w) => header.Write(ref w)).Raw(body).Write((ref Wire.WireWriter w) => header.WriteFooter(ref w));
}
