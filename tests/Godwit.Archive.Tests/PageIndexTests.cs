using Godwit.Archive.Receive;
using Godwit.Testing;

namespace Godwit.Archive.Tests;

public sealed class PageIndexTests
{
    /// <summary>Keys far enough apart to push each other out of memory and into the file.</summary>
    [Fact]
    public void It_holds_what_a_dictionary_holds()
    {
        using var folder = new TemporaryFolder();
        using var index = new PageIndex(folder.File("index"));
        var expected = new SortedDictionary<long, long>();
        var random = new Random(1);
        for (var i = 0; i < 15000; i++)
        {
            var page = random.Next(4) switch
            {
                0 => random.NextInt64(1L << 34),
                1 => i,
                2 => (4096L * 512 * random.Next(8)) + random.Next(3000),
                _ => random.Next(5000),
            };
            Assert.Equal(expected.GetValueOrDefault(page), index[page]);
            index[page] = i + 1;
            expected[page] = i + 1;
        }

        var visited = new List<KeyValuePair<long, long>>();
        index.ForEach(0, 1L << 34, (page, value) => visited.Add(new(page, value)));
        Assert.Equal(expected, visited);
        Assert.NotEmpty(folder.Names);
    }

    [Fact]
    public void A_range_is_visited_without_its_neighbours()
    {
        using var folder = new TemporaryFolder();
        using var index = new PageIndex(folder.File("index"));
        foreach (var page in new long[] { 0, 99, 100, 511, 512, 1023, 1024, 2000 })
            index[page] = page + 1;

        var visited = new List<long>();
        index.ForEach(100, 1024, (page, _) => visited.Add(page));

        Assert.Equal([100, 511, 512, 1023], visited);
    }
}
