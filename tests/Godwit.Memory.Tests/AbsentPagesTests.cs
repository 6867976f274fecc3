using Godwit.Linux;

namespace Godwit.Memory.Tests;

/// <summary>Pages that come when somebody needs them.</summary>
public sealed class AbsentPagesTests
{
    private const int Chunk = (int)RamBlock.ChunkLength;
    private const int Length = (16 * Chunk) + GuestPage.Size;

    [Fact]
    public void Each_way_to_a_page_fetches_it_first()
    {
        using var block = RamBlock.CreateShared("ram", Length);
        var fetched = new List<ulong>();
        block.Expect((b, offset, length) => Fill(b, offset, length, fetched), () => { });
        var memory = new AddressSpace();
        var region = memory.MapRam(0x80000000, block, 0, Length);
        var tlb = new SoftwareTlb();
        using var gather = new GatherBuffer();

        Assert.Equal(1, block.Read(5, 1)[0]);
        block.Write(Chunk, 1)[0] = 99;
        tlb.EnterRead(0x1000, region, 0x80000000UL + (2 * Chunk));
        tlb.EnterWrite(0x2000, region, 0x80000000UL + (3 * Chunk));
        Assert.Equal(0x0505050505050505UL, region.Load64(0x80000000UL + (4 * Chunk)));
        Assert.True(region.CompareExchange32(0x80000000UL + (5 * Chunk), 0x06060606, 7));
        block.AddTo(gather, 6 * Chunk, 8);
        block.ClearPage(7 * Chunk);
        Assert.Equal(9, block.Read((9 * Chunk) - 1, 2)[0]);

        Assert.Equal(Enumerable.Range(0, 10).Select(c => (ulong)c * Chunk), fetched);
        Assert.True(tlb.TryRead(0x1008, out byte read));
        Assert.Equal(3, read);
        Assert.Equal((99, 2), (block.Read(Chunk, 1)[0], block.Read(Chunk + 1, 1)[0]));
        Assert.Equal(7, gather[0][0]);
        Assert.Equal((0, 8), (block.Read(7 * Chunk, 1)[0], block.Read((7 * Chunk) + GuestPage.Size, 1)[0]));
    }

    [Fact]
    public void Each_chunk_is_fetched_once_whoever_comes_first()
    {
        using var block = RamBlock.Create("ram", Length);
        var fetched = new List<ulong>();
        var arrived = 0;
        block.Expect((b, offset, length) => Fill(b, offset, length, fetched), () => Interlocked.Increment(ref arrived));
        using var barrier = new Barrier(4);
        var wrong = 0;
        var threads = Enumerable.Range(0, 4).Select(n => new Thread(() =>
        {
            barrier.SignalAndWait();
            for (var i = 0; i <= 16; i++)
            {
                var chunk = n % 2 == 0 ? i : 16 - i;
                if (n < 2)
                    block.Fetch((ulong)chunk, (b, offset, length) => Fill(b, offset, length, fetched));
                if (block.Read((ulong)(chunk * Chunk) + 17, 1)[0] != chunk + 1)
                    Interlocked.Increment(ref wrong);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        Assert.Equal((0, 1), (wrong, arrived));
        Assert.Equal(Enumerable.Range(0, 17).Select(c => (ulong)c * Chunk), fetched.Order());
    }

    /// <summary>It isn't taken for there.</summary>
    [Fact]
    public void What_can_not_be_fetched_fails_each_time()
    {
        using var block = RamBlock.Create("ram", Length);
        block.Expect((_, offset, _) => throw new PageLostException($"{offset}"), () => { });

        Assert.Equal("0", Assert.Throws<PageLostException>(() => block.Read(0, 1).Length).Message);
        Assert.Equal("0", Assert.Throws<PageLostException>(() => block.Write(0, 1).Length).Message);
        Assert.Equal($"{Chunk}", Assert.Throws<PageLostException>(() => block.Fetch(1, (_, offset, _) => throw new PageLostException($"{offset}"))).Message);
    }

    /// <summary>Where no memory stands behind it nothing is known of it.</summary>
    [Fact]
    public void A_hole_is_not_taken_for_zeros()
    {
        using var block = RamBlock.CreateShared("ram", Length);
        Assert.Equal((ulong)Length, block.NextData(0));
        block.Expect((_, _, _) => { }, () => { });
        Assert.Equal(0UL, block.NextData(0));
    }

    private static void Fill(RamBlock block, ulong offset, int length, List<ulong> fetched)
    {
        lock (fetched)
            fetched.Add(offset);
        block.Place(offset, length).Fill((byte)((offset / Chunk) + 1));
    }
}
