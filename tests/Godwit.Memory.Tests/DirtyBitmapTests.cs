namespace Godwit.Memory.Tests;

public sealed class DirtyBitmapTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Each_page_has_a_bit_of_its_own(int pages)
    {
        var dirty = new DirtyBitmap(pages);
        for (var page = 0; page < pages; page++)
        {
            Assert.False(dirty[page]);
            dirty.Set(page);
            Assert.True(dirty[page]);
            Assert.Equal(page + 1, dirty.Count());
        }

        Assert.Equal(pages, dirty.Pages);
        Assert.Throws<IndexOutOfRangeException>(() => dirty.Set((pages + 63) / 64 * 64));
        Assert.Throws<IndexOutOfRangeException>(() => dirty.Set(-1));
    }

    [Fact]
    public void Taking_gives_64_pages_and_clears_them()
    {
        var dirty = new DirtyBitmap(200);
        dirty.Set(0);
        dirty.Set(63);
        dirty.Set(64);
        dirty.Set(199);

        Assert.Equal(0x8000_0000_0000_0001UL, dirty.Take(0));
        Assert.Equal(1UL, dirty.Take(1));
        Assert.Equal(0UL, dirty.Take(0));
        Assert.Equal(0UL, dirty.Take(2));
        Assert.Equal(1UL << 7, dirty.Take(3));
        Assert.Equal(0, dirty.Count());
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 1, 0, 1)]
    [InlineData(4095, 1, 0, 1)]
    [InlineData(4095, 2, 0, 2)]
    [InlineData(4096, 4096, 1, 1)]
    [InlineData(4097, 4096, 1, 2)]
    [InlineData(0, 300 * 4096, 0, 300)]
    [InlineData(63 * 4096, 2 * 4096, 63, 2)]
    public void A_range_is_every_page_that_it_touches(ulong offset, ulong length, int first, int count)
    {
        var dirty = new DirtyBitmap(300);

        dirty.SetRange(offset, length);

        Assert.Equal(Enumerable.Range(first, count), Enumerable.Range(0, 300).Where(p => dirty[p]));
    }

    /// <summary>One thread writes pages while another takes bits and copies the pages. When all is done the copy is the memory: no write
    /// went between taking a bit and copying its page unseen.</summary>
    [Fact]
    public void No_write_is_lost_between_the_writer_and_the_one_who_takes()
    {
        const int Pages = 64;
        using var ram = RamBlock.Create("test.ram", Pages * GuestPage.Size);
        var memory = new AddressSpace();
        var region = memory.MapRam(0, ram, 0, ram.Length);
        var copy = new byte[Pages * GuestPage.Size];
        for (byte round = 1; round <= 200; round++)
        {
            var bytes = Enumerable.Repeat(round, GuestPage.Size).ToArray();
            var writer = new Thread(() =>
            {
                for (ulong page = 0; page < Pages; page++)
                {
                    memory.TryWrite(page * GuestPage.Size, bytes);
                    region.CompareExchange64(page * GuestPage.Size, region.Load64(page * GuestPage.Size), round);
                }
            });
            writer.Start();
            while (writer.IsAlive)
                Copy();
            writer.Join();
            Copy();
            Assert.Equal(ram.Read(0, copy.Length), copy);
        }

        void Copy()
        {
            var taken = ram.Dirty.Take(0);
            for (var page = 0; page < Pages; page++)
            {
                if ((taken >> page & 1) != 0)
                    ram.Read((ulong)page * GuestPage.Size, GuestPage.Size).CopyTo(copy.AsSpan(page * GuestPage.Size));
            }
        }
    }

    /// <summary>Two threads set bits of the same words while a third takes them: each bit comes out, and none twice.</summary>
    [Fact]
    public void Each_bit_is_taken_once()
    {
        const int Pages = 1 << 20;
        var dirty = new DirtyBitmap(Pages);
        var setters = new[] { 0, 1 }.Select(parity => new Thread(() =>
        {
            for (var page = parity; page < Pages; page += 2)
                dirty.Set(page);
        })).ToList();
        var taken = new ulong[Pages / 64];
        var twice = 0UL;

        setters.ForEach(s => s.Start());
        while (setters.Exists(s => s.IsAlive))
            Take();
        Take();

        Assert.Equal(0UL, twice);
        Assert.All(taken, word => Assert.Equal(ulong.MaxValue, word));

        void Take()
        {
            for (var word = 0; word < taken.Length; word++)
            {
                var bits = dirty.Take(word);
                twice |= bits & taken[word];
                taken[word] |= bits;
            }
        }
    }
}
