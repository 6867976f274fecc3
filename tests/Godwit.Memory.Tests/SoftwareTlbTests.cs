namespace Godwit.Memory.Tests;

public sealed class SoftwareTlbTests : IDisposable
{
    private const ulong Ram = 0x8000_0000, Virtual = 0xffff_ffc0_1234_5000;

    private readonly AddressSpace _memory = new();
    private readonly RamBlock _ram = RamBlock.Create("test.ram", 8 * GuestPage.Size);
    private readonly MemoryRegion _region;
    private readonly SoftwareTlb _tlb = new();

    public SoftwareTlbTests() => _region = _memory.MapRam(Ram, _ram, GuestPage.Size, 4 * GuestPage.Size);

    [Fact]
    public void An_empty_TLB_has_no_address()
    {
        foreach (var address in new ulong[] { 0, 1, Ram, Virtual, ulong.MaxValue, ulong.MaxValue - 7, ulong.MaxValue - 0xfff })
        {
            Assert.False(_tlb.TryRead<byte>(address, out _));
            Assert.False(_tlb.TryRead<ulong>(address, out _));
            Assert.False(_tlb.TryWrite(address, (byte)1));
            Assert.False(_tlb.TryAtomic(address, AtomicOperation.Add, 1UL, out _));
        }
    }

    [Fact]
    public void A_reading_entry_reads_its_page_and_no_other()
    {
        _ram.Write(3 * GuestPage.Size, GuestPage.Size).Fill(0x5a);
        _tlb.EnterRead(Virtual + 0x123, _region, Ram + (2 * GuestPage.Size) + 0x123);

        Assert.True(_tlb.TryRead<byte>(Virtual, out var first) && first == 0x5a);
        Assert.True(_tlb.TryRead<ulong>(Virtual + 0xff8, out var last) && last == 0x5a5a5a5a5a5a5a5a);
        Assert.False(_tlb.TryRead<byte>(Virtual - 1, out _));
        Assert.False(_tlb.TryRead<byte>(Virtual + 0x1000, out _));
        // The same entry of the table, another page.
        Assert.False(_tlb.TryRead<byte>(Virtual + (1 << 22), out _));
        Assert.False(_tlb.TryWrite(Virtual, (byte)1));
        Assert.False(_tlb.TryAtomic(Virtual, AtomicOperation.Swap, 1U, out _));
        Assert.False(_tlb.TryCompareExchange(Virtual, 0x5a5a5a5aU, 1U, out _));
    }

    [Fact]
    public void A_writing_entry_writes_and_does_not_read()
    {
        _tlb.EnterWrite(Virtual, _region, Ram);

        Assert.True(_tlb.TryWrite(Virtual + 1, (byte)1));
        Assert.True(_tlb.TryWrite(Virtual + 2, (ushort)0x0302));
        Assert.True(_tlb.TryWrite(Virtual + 4, 0x07060504U));
        Assert.True(_tlb.TryWrite(Virtual + 8, 0x0f0e0d0c0b0a0908UL));

        Assert.Equal(Enumerable.Range(0, 16).Select(n => (byte)n), _ram.Read(GuestPage.Size, 16).ToArray());
        Assert.False(_tlb.TryRead<byte>(Virtual, out _));
    }

    [Fact]
    public void Misaligned_accesses_take_the_slow_path()
    {
        _tlb.EnterRead(Virtual, _region, Ram);
        _tlb.EnterWrite(Virtual, _region, Ram);
        for (ulong offset = 1; offset < 8; offset++)
        {
            Assert.Equal(offset % 2 == 0, _tlb.TryRead<ushort>(Virtual + offset, out _));
            Assert.Equal(offset % 4 == 0, _tlb.TryRead<uint>(Virtual + offset, out _));
            Assert.False(_tlb.TryRead<ulong>(Virtual + offset, out _));
            Assert.Equal(offset % 2 == 0, _tlb.TryWrite(Virtual + offset, (ushort)0));
            Assert.Equal(offset % 4 == 0, _tlb.TryWrite(Virtual + offset, 0U));
            Assert.False(_tlb.TryWrite(Virtual + offset, 0UL));
            Assert.Equal(offset % 4 == 0, _tlb.TryAtomic(Virtual + offset, AtomicOperation.Add, 0U, out _));
            Assert.False(_tlb.TryAtomic(Virtual + offset, AtomicOperation.Add, 0UL, out _));
            Assert.Equal(offset % 4 == 0, _tlb.TryCompareExchange(Virtual + offset, 0U, 0U, out _));
            Assert.False(_tlb.TryCompareExchange(Virtual + offset, 0UL, 0UL, out _));
        }

        Assert.False(_tlb.TryRead<ulong>(Virtual + 0xffc, out _));
        Assert.False(_tlb.TryRead<uint>(Virtual + 0xffe, out _));
    }

    [Fact]
    public void The_page_is_dirty_before_the_first_fast_store()
    {
        _tlb.EnterRead(Virtual, _region, Ram);
        Assert.Equal(0, _ram.Dirty.Count());

        _tlb.EnterWrite(Virtual, _region, Ram + 0xfff);

        Assert.True(_ram.Dirty[1]);
        Assert.Equal(1, _ram.Dirty.Count());
    }

    [Fact]
    public void After_forgetting_writes_the_next_store_is_seen_again_and_reads_go_on()
    {
        for (ulong page = 0; page < 4; page++)
        {
            _tlb.EnterRead(Virtual + (page << 12), _region, Ram + (page << 12));
            _tlb.EnterWrite(Virtual + (page << 12), _region, Ram + (page << 12));
        }

        Assert.Equal(0b11110UL, _ram.Dirty.Take(0));
        _tlb.FlushWrites();

        for (ulong page = 0; page < 4; page++)
        {
            Assert.False(_tlb.TryWrite(Virtual + (page << 12), 1U));
            Assert.False(_tlb.TryAtomic(Virtual + (page << 12), AtomicOperation.Add, 1U, out _));
            Assert.False(_tlb.TryCompareExchange(Virtual + (page << 12), 0UL, 1UL, out _));
            Assert.True(_tlb.TryRead<uint>(Virtual + (page << 12), out var value) && value == 0);
        }

        _tlb.EnterWrite(Virtual + 0x2000, _region, Ram + 0x2000);
        Assert.Equal(0b1000UL, _ram.Dirty.Take(0));
    }

    [Fact]
    public void Forgetting_a_page_leaves_the_others()
    {
        foreach (var page in new ulong[] { 0, 0x1000 })
        {
            _tlb.EnterRead(Virtual + page, _region, Ram + page);
            _tlb.EnterWrite(Virtual + page, _region, Ram + page);
        }

        _tlb.FlushPage(Virtual + 0xabc);

        Assert.False(_tlb.TryRead<byte>(Virtual, out _));
        Assert.False(_tlb.TryWrite(Virtual, (byte)1));
        Assert.True(_tlb.TryRead<byte>(Virtual + 0x1000, out _));
        Assert.True(_tlb.TryWrite(Virtual + 0x1000, (byte)1));
        _tlb.Flush();
        Assert.False(_tlb.TryRead<byte>(Virtual + 0x1000, out _));
        Assert.False(_tlb.TryWrite(Virtual + 0x1000, (byte)1));
    }

    [Fact]
    public void Pages_at_the_ends_of_the_address_space_are_pages_too()
    {
        foreach (var page in new[] { 0UL, 0xffff_ffff_ffff_f000 })
        {
            _tlb.EnterRead(page, _region, Ram);
            _tlb.EnterWrite(page, _region, Ram);
            Assert.True(_tlb.TryWrite(page + 0xff8, page | 1));
            Assert.True(_tlb.TryRead<ulong>(page + 0xff8, out var value) && value == (page | 1));
        }
    }

    [Fact]
    public void What_is_no_RAM_or_not_a_whole_page_of_it_is_refused()
    {
        var device = _memory.MapDevice(0x1000, GuestPage.Size, new RecordingDevice(new AccessSizes(1, 8)));
        var half = _memory.MapRam(0x10800, _ram, 0x800, 0x800);

        Assert.Throws<ArgumentException>(() => _tlb.EnterRead(Virtual, device, 0x1000));
        Assert.Throws<ArgumentException>(() => _tlb.EnterRead(Virtual, half, 0x10800));
        Assert.Throws<ArgumentException>(() => _tlb.EnterRead(Virtual, _region, Ram + (4 * GuestPage.Size)));
        Assert.Throws<ArgumentException>(() => _tlb.EnterRead(Virtual, _region, Ram - 1));
        Assert.False(_tlb.TryRead<byte>(Virtual, out _));
    }

    public static TheoryData<AtomicOperation, ulong, ulong, ulong, uint> Operations => new()
    {
        // Old value, operand, and what stands there after it: 64 bits, and the low 32 bits of the same.
        { AtomicOperation.Swap, 5, 7, 7, 7 },
        { AtomicOperation.Add, 0xffff_ffff_ffff_ffff, 2, 1, 1 },
        { AtomicOperation.Xor, 0xff00_ff00_ff00_ff00, 0x0ff0_0ff0_0ff0_0ff0, 0xf0f0_f0f0_f0f0_f0f0, 0xf0f0_f0f0 },
        { AtomicOperation.And, 0xff00_ff00_ff00_ff00, 0x0ff0_0ff0_0ff0_0ff0, 0x0f00_0f00_0f00_0f00, 0x0f00_0f00 },
        { AtomicOperation.Or, 0xff00_ff00_ff00_ff00, 0x0ff0_0ff0_0ff0_0ff0, 0xfff0_fff0_fff0_fff0, 0xfff0_fff0 },
        { AtomicOperation.Min, 0x8000_0000_8000_0000, 1, 0x8000_0000_8000_0000, 0x8000_0000 },
        { AtomicOperation.Max, 0x8000_0000_8000_0000, 1, 1, 1 },
        { AtomicOperation.MinUnsigned, 0x8000_0000_8000_0000, 1, 1, 1 },
        { AtomicOperation.MaxUnsigned, 0x8000_0000_8000_0000, 1, 0x8000_0000_8000_0000, 0x8000_0000 },
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_atomic_operation_stores_its_result_and_gives_what_was_there(AtomicOperation operation, ulong old, ulong operand, ulong wide, uint narrow)
    {
        _tlb.EnterWrite(Virtual, _region, Ram);
        _tlb.EnterRead(Virtual, _region, Ram);
        Assert.True(_tlb.TryWrite(Virtual + 8, old));
        Assert.True(_tlb.TryWrite(Virtual + 0x14, (uint)old));

        Assert.True(_tlb.TryAtomic(Virtual + 8, operation, operand, out ulong wideBefore));
        Assert.True(_tlb.TryAtomic(Virtual + 0x14, operation, (uint)operand, out uint narrowBefore));

        Assert.Equal((old, (uint)old), (wideBefore, narrowBefore));
        Assert.True(_tlb.TryRead<ulong>(Virtual + 8, out var wideAfter));
        Assert.True(_tlb.TryRead<uint>(Virtual + 0x14, out var narrowAfter));
        Assert.Equal((wide, narrow), (wideAfter, narrowAfter));
        // The neighbours of both.
        Assert.False(_ram.Read(GuestPage.Size, 8).ContainsAnyExcept((byte)0));
        Assert.False(_ram.Read(GuestPage.Size + 0x10, 4).ContainsAnyExcept((byte)0));
        Assert.False(_ram.Read(GuestPage.Size + 0x18, 8).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_word_is_exchanged_only_if_it_is_what_was_expected()
    {
        _tlb.EnterWrite(Virtual, _region, Ram);

        Assert.True(_tlb.TryCompareExchange(Virtual + 4, 0U, 5U, out var exchanged) && exchanged);
        Assert.True(_tlb.TryCompareExchange(Virtual + 4, 0U, 6U, out exchanged) && !exchanged);
        Assert.True(_tlb.TryCompareExchange(Virtual, 0x5_0000_0000UL, 7UL, out exchanged) && exchanged);
        Assert.True(_tlb.TryCompareExchange(Virtual, 0x5_0000_0000UL, 8UL, out exchanged) && !exchanged);
        Assert.Equal(7UL, BitConverter.ToUInt64(_ram.Read(GuestPage.Size, 8)));
    }

    /// <summary>Two harts, each with a TLB of its own, count in the same words.</summary>
    [Fact]
    public void No_increment_of_two_harts_is_lost()
    {
        const int Rounds = 300_000;
        var threads = new[] { Virtual, 0x4000UL }.Select(page => new Thread(() =>
        {
            var tlb = new SoftwareTlb();
            tlb.EnterWrite(page, _region, Ram);
            tlb.EnterRead(page, _region, Ram);
            for (var n = 0; n < Rounds; n++)
            {
                tlb.TryAtomic(page, AtomicOperation.Add, 1U, out _);
                tlb.TryAtomic(page + 8, AtomicOperation.Add, 1UL, out _);
                tlb.TryAtomic(page + 16, AtomicOperation.MaxUnsigned, (ulong)n, out _);
                ulong before;
                bool exchanged;
                do
                {
                    tlb.TryRead(page + 24, out before);
                    tlb.TryCompareExchange(page + 24, before, before + 1, out exchanged);
                }
                while (!exchanged);
            }
        })).ToList();

        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        Assert.Equal([2 * Rounds, 2 * Rounds, Rounds - 1, 2 * Rounds], Enumerable.Range(0, 4).Select(n => (int)BitConverter.ToUInt64(_ram.Read(GuestPage.Size + (ulong)(8 * n), 8))));
    }

    public void Dispose() => _ram.Dispose();
}
