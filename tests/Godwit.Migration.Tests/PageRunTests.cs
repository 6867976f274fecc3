using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Pages in orders that a run is broken by at every place, in writes of many lengths: each ends where it belongs and nowhere else.</summary>
public sealed class PageRunTests
{
    private const int Pages = 700;

    [Theory]
    [InlineData(1, 4104)]
    [InlineData(2, 4103)]
    [InlineData(3, 4105)]
    [InlineData(4, 4096)]
    [InlineData(5, 8)]
    [InlineData(6, 9999)]
    [InlineData(7, 4104 * 5)]
    [InlineData(8, 1 << 20)]
    [InlineData(9, 4104 * 128)]
    public void Broken_runs_load_right(int seed, int step)
    {
        var stream = Stream(new Random(seed), followInPercent: 90);
        using var machine = new RecordedMachine(stream);
        var run = IncomingRun.Play(machine, stream, step);
        Assert.Equal("", run.Error);
        IncomingTests.AssertHolds(machine, RamModel.Read(stream));
    }

    /// <summary>Longer than the longest run, with nothing between.</summary>
    [Fact]
    public void A_whole_block_loads_right()
    {
        var stream = Stream(new Random(10), followInPercent: 100);
        using var machine = new RecordedMachine(stream);
        Assert.Equal("", IncomingRun.Play(machine, stream).Error);
        IncomingTests.AssertHolds(machine, RamModel.Read(stream));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(2000)]
    [InlineData(4103)]
    public void A_stream_that_ends_within_a_run_says_where(int within)
    {
        var stream = Stream(new Random(11), followInPercent: 100);
        var cut = Array.LastIndexOf(stream, (byte)SectionType.End) / 2 / 4104 * 4104 + within;
        using var machine = new RecordedMachine(stream);
        var run = IncomingRun.Play(machine, stream[..cut]);
        IncomingTests.AssertFailed(machine, run, $"at byte {cut}");
    }

    /// <summary>Mostly the page after the last one; else a page anywhere, one that came before, a zero page, one of the other block, or a new section.</summary>
    private static byte[] Stream(Random random, int followInPercent)
    {
        var builder = new StreamBuilder().RamStart(("a.ram", Pages), ("b.ram", 40)).Ram(SectionType.Part);
        var page = 0;
        for (var i = 0; i < Pages; i++)
        {
            if (random.Next(100) < followInPercent)
                builder.Page("a.ram", page, Bytes(random));
            else
                Break(builder, random, ref page);
            page = (page + 1) % Pages;
        }

        return builder.Eos().Ram(SectionType.End).Eos().Device(3, "d", [1, 2, 3]).End().ToArray();
    }

    private static void Break(StreamBuilder builder, Random random, ref int page)
    {
        switch (random.Next(5))
        {
            case 0:
                page = random.Next(Pages);
                builder.Page("a.ram", page, Bytes(random));
                return;
            case 1:
                builder.ZeroPage("a.ram", page);
                return;
            case 2:
                builder.Page("b.ram", random.Next(40), Bytes(random)).Page("a.ram", page, Bytes(random));
                return;
            case 3:
                builder.ZeroPage("a.ram", (page + random.Next(1, 100)) % Pages).Page("a.ram", page, Bytes(random));
                return;
            default:
                builder.Eos().Ram(SectionType.Part).Page("a.ram", page, Bytes(random));
                return;
        }
    }

    private static byte[] Bytes(Random random)
    {
        var page = new byte[StreamBuilder.PageSize];
        random.NextBytes(page);
        return page;
    }
}
