using System.Collections.Concurrent;

namespace Godwit.Memory.Tests;

/// <summary>What is touched ahead, and no further.</summary>
public sealed class MemoryAheadTests : IDisposable
{
    private const ulong Mebibyte = 1 << 20;

    private readonly RamBlock[] _blocks = [RamBlock.Create("first", 100 * Mebibyte), RamBlock.Create("second", 202 * Mebibyte)];
    private readonly BlockingCollection<ulong> _touched = [];

    public void Dispose()
    {
        foreach (var block in _blocks)
            block.Dispose();
        _touched.Dispose();
    }

    [Fact]
    public void All_of_it_at_once()
    {
        using var ahead = Start(waits: false);
        for (var at = 0UL; at < 302; at += 4)
            Assert.Equal(at, _touched.Take());
    }

    [Fact]
    public void Only_a_bit_before_what_was_reached()
    {
        using var ahead = Start(waits: true);
        ahead.Reached(0);
        for (var at = 0UL; at < 64; at += 4)
            Assert.Equal(at, _touched.Take());
        // Within half of the distance it isn't woken.
        ahead.Reached(32 * Mebibyte);
        ahead.Reached(33 * Mebibyte);
        for (var at = 64UL; at < 97; at += 4)
            Assert.Equal(at, _touched.Take());
        // A jump leaves out what lies between.
        ahead.Reached(200 * Mebibyte);
        for (var at = 200UL; at < 264; at += 4)
            Assert.Equal(at, _touched.Take());
        ahead.Dispose();
        Assert.Empty(_touched);
    }

    [Fact]
    public void Where_blocks_begin()
    {
        using var ahead = Start(waits: true);
        Assert.Equal([0UL, 100 * Mebibyte], _blocks.Select(ahead.StartOf));
    }

    [Fact]
    public void It_ends_where_no_more_is_to_be_done()
    {
        var calls = 0;
        using (var ahead = new MemoryAhead("test", _blocks, (_, _, _) => ++calls < 3, waits: false))
            SpinWait.SpinUntil(() => Volatile.Read(ref calls) == 3);
        Assert.Equal(3, calls);
    }

    [Fact]
    public void Shared_memory_has_memory_only_where_it_was_populated()
    {
        using var shared = RamBlock.CreateShared("board.ram", 8 * Mebibyte);
        Assert.True(shared.TryMap(0, 8 * Mebibyte));
        Assert.Equal(8 * Mebibyte, shared.NextData(0));
        Assert.True(shared.TryPopulate(4 * Mebibyte, 2 * Mebibyte));
        Assert.Equal(4 * Mebibyte, shared.NextData(0));
        Assert.False(shared.TryMap(4 * Mebibyte, 5 * Mebibyte));
    }

    private MemoryAhead Start(bool waits) => new("test", _blocks, (block, offset, length) =>
    {
        Assert.True(offset + length <= block.Length);
        _touched.Add(((block == _blocks[0] ? 0 : 100 * Mebibyte) + offset) / Mebibyte);
        return true;
    }, waits);
}
