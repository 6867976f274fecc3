using System.Numerics;
using System.Runtime.CompilerServices;
using Godwit.Memory;
using Godwit.Migration.Control;
using Godwit.Migration.MappedRam;
using Godwit.Migration.Multifd;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;
using RamBlock = Godwit.Memory.RamBlock;

namespace Godwit.Migration.Source;

/// <summary>Guest memory as a live section: which pages are to be sent, and sending them. Source of the order: QEMU migration/ram.c.</summary>
internal sealed class RamSource : IDisposable
{
    private const int PagesBetweenClocks = 64;
    private const int MillisecondsPerSection = 50;

    /// <summary>From where data begins, pages are looked at this far before the host is asked again.</summary>
    private const int DataStride = 64 * GuestPage.Size;

    private readonly IMigratableMachine _machine;
    private readonly StreamOutput _output;
    private readonly bool _ignoreShared;
    private readonly SectionHeader _section;
    private readonly Part[] _parts;
    private readonly MemoryAhead _ahead;
    private readonly XbzrleCache? _cache;
    private readonly MultifdSource? _multifd;
    private readonly MappedRamPages? _mapped;
    private readonly ZeroPageDetection _detection;
    private readonly bool _meetAtEachEos;
    private readonly byte[] _copy = new byte[GuestPage.Size];
    private readonly byte[] _encoded = new byte[GuestPage.Size];
    private Part? _lastSent;
    private int _part;
    private long _word;
    private long _aside;

    /// <param name="id">The section's.</param>
    /// <param name="multifd">Where pages go; null: along the stream.</param>
    /// <param name="mapped">Where pages go, or the channels of <paramref name="multifd"/> write them; null: they have no places.</param>
    public RamSource(
        IMigratableMachine machine, StreamOutput output, uint id, bool ignoreShared, XbzrleCache? cache, RamCounters counters, Parameters parameters, MultifdSource? multifd, MappedRamPages? mapped = null)
    {
        _mapped = mapped;
        Counters = counters;
        _multifd = multifd;
        _detection = parameters.ZeroPageDetection;
        _meetAtEachEos = parameters.MultifdFlushAfterEachSection && mapped is null;
        _machine = machine;
        _output = output;
        _ignoreShared = ignoreShared;
        _cache = cache;
        _section = new SectionHeader(SectionType.Start, id, SectionHeader.RamName, 0, 4);
        var blocks = machine.RamBlocks.Where(b => !(ignoreShared && b.IsSharedFile)).ToArray();
        // Channels are enough to touch it themselves.
        _ahead = new MemoryAhead("migration-map", blocks, (block, offset, length) => _multifd is null && block.TryMap(offset, length), waits: true);
        _parts = [.. blocks.Select((b, i) => new Part(b, _ahead.StartOf(b), i * 0x40000000001L))];
    }

    public RamCounters Counters { get; }

    /// <summary>Pages still to be sent, as far as is known.</summary>
    public long DirtyPages { get; private set; }

    /// <summary>Pages that were dirtied, from one reckoning of the rate to the next.</summary>
    public long DirtiedInPeriod { get; set; }

    /// <summary>Notes all pages as to be sent, and writes START with the list of blocks.</summary>
    public void Setup()
    {
        foreach (var part in _parts)
        {
            for (var word = 0L; word < part.Block.Dirty.Words; word++)
                part.Block.Dirty.Take(word);
            part.SetAll();
            DirtyPages += part.Block.Dirty.Pages;
        }

        _machine.SynchronizeWriters();
        Counters.Syncs = 1;
        Counters.Remaining = DirtyPages * GuestPage.Size;
        Counters.DirtyBytesAtSync = Counters.Remaining;

        var writer = _output.Writer(SectionHeader.MaxLength + 8);
        _section.Write(ref writer);
        RamItem.WriteMemSize(ref writer, _machine.RamBlocks.Aggregate(0UL, (sum, b) => sum + b.Length));
        _output.Put(writer);
        for (var i = 0; i < _machine.RamBlocks.Count; i++)
        {
            var block = _machine.RamBlocks[i];
            var entry = new Godwit.Wire.Ram.RamBlock(i, block.IdStr, block.Length) { Address = _ignoreShared ? block.Address : null };
            if (_mapped is not null)
            {
                _mapped.PutEntry(_output, entry, block);
                continue;
            }

            writer = _output.Writer(Godwit.Wire.Ram.RamBlock.MaxEntryLength);
            entry.Write(ref writer);
            _output.Put(writer);
        }

        // The other side's channels touch no memory before its main thread knows the blocks.
        if (!_meetAtEachEos)
            Meet();
        EndSection();
    }

    /// <summary>Takes what was dirtied since the last time; those pages may be read when this returns.</summary>
    public void Synchronize()
    {
        foreach (var part in _parts)
        {
            var dirty = part.Block.Dirty;
            part.ForgetHoles();
            for (var word = 0L; word < dirty.Words; word++)
            {
                var taken = dirty.Take(word);
                if (taken == 0)
                    continue;
                var fresh = BitOperations.PopCount(taken & ~part.Bits[word]);
                part.Bits[word] |= taken;
                DirtyPages += fresh;
                DirtiedInPeriod += fresh;
            }
        }

        // The word that was sent from last may have got pages back that are under way on some channel: they come after the channels have met.
        if (_multifd is not null && _parts.Length > 0)
            _word = Math.Min(_word + 1, _parts[_part].Bits.Length);
        _machine.SynchronizeWriters();
        Counters.Remaining = DirtyPages * GuestPage.Size;
        Counters.DirtyBytesAtSync = Counters.Remaining;
    }

    /// <summary>A PART: pages until the limit, for at most 50 ms.</summary>
    /// <param name="limit">Position in the stream that isn't to be passed by more than a page.</param>
    /// <param name="cancelled">Asked now and then.</param>
    public void SendPart(long limit, Func<bool> cancelled)
    {
        Open(SectionType.Part);
        Send(limit, Environment.TickCount64 + MillisecondsPerSection, last: false, cancelled);
        if (DirtyPages == 0)
            _multifd?.Flush();
        FlushMapped();
        EndSection();
        _output.Flush();
    }

    /// <summary>END: all that is left. The guest stands.</summary>
    public void SendEnd(Func<bool> cancelled)
    {
        Open(SectionType.End);
        Send(long.MaxValue, long.MaxValue, last: true, cancelled);
        if (!_meetAtEachEos)
            Meet();
        _mapped?.End();
        FlushMapped();
        EndSection();
        _output.Flush();
    }

    public void Dispose() => _ahead.Dispose();

    private void Open(SectionType type)
    {
        var writer = _output.Writer(SectionHeader.MaxLength);
        (_section with { Type = type }).Write(ref writer);
        _output.Put(writer);
    }

    private void EndSection()
    {
        if (_meetAtEachEos)
            Meet();
        var writer = _output.Writer(8 + SectionHeader.FooterLength);
        RamItem.WriteEos(ref writer);
        _section.WriteFooter(ref writer);
        _output.Put(writer);
    }

    /// <summary>Waits until all pages are with the multifd channels' other ends, in order with what they send later.</summary>
    private void Meet()
    {
        if (_multifd is null)
            return;
        _multifd.Synchronize(remote: _mapped is null);
        _aside = Aside;
        if (_meetAtEachEos || _mapped is not null)
            return;
        var writer = _output.Writer(8);
        RamItem.WriteMultifdFlush(ref writer);
        _output.Put(writer);
        _output.Flush();
    }

    /// <summary>Bytes that go over multifd channels, those under way with them.</summary>
    private long Aside => _multifd is null ? 0 : _multifd.Bytes + _multifd.Queued;

    private void FlushMapped()
    {
        if (_mapped is null)
            return;
        _mapped.Flush();
        _output.Beside = _mapped.Bytes;
    }

    private void Send(long limit, long deadline, bool last, Func<bool> cancelled)
    {
        var sent = 0;
        _aside = Aside;
        while (DirtyPages > 0 && _output.Position + _aside < limit)
        {
            var part = _parts[_part];
            while (_word < part.Bits.Length && part.Bits[_word] == 0)
                _word++;
            if (_word == part.Bits.Length)
            {
                _word = 0;
                _part = (_part + 1) % _parts.Length;
                // From here on pages are sent again, and what was sent last must win.
                if (_part == 0 && !_meetAtEachEos)
                    Meet();
                continue;
            }

            var page = _word * 64 + BitOperations.TrailingZeroCount(part.Bits[_word]);
            part.Bits[_word] &= part.Bits[_word] - 1;
            DirtyPages--;
            SendPage(part, page, last);
            if ((++sent & (PagesBetweenClocks - 1)) != 0)
                continue;
            _ahead.Reached(part.Start + ((ulong)page << GuestPage.Bits));
            Volatile.Write(ref Counters.Remaining, DirtyPages * GuestPage.Size);
            _aside = Aside;
            _output.Beside = _mapped?.Bytes ?? 0;
            Volatile.Write(ref Counters.Transferred, _output.Position + (_multifd?.Bytes ?? 0));
            if (Environment.TickCount64 >= deadline || cancelled())
                break;
        }

        Volatile.Write(ref Counters.Remaining, DirtyPages * GuestPage.Size);
    }

    private void SendPage(Part part, long page, bool last)
    {
        var offset = (ulong)page << GuestPage.Bits;
        var name = part == _lastSent ? null : part.Block.IdStr;
        if (_multifd is not null && _detection != ZeroPageDetection.Legacy)
        {
            _multifd.Add(part.Block, offset, isZero: _detection == ZeroPageDetection.Multifd && part.IsHole(offset));
            return;
        }

        if (_detection != ZeroPageDetection.None && (part.IsHole(offset) || ZeroPage.Is(part.Block.Read(offset, GuestPage.Size))))
        {
            Interlocked.Increment(ref Counters.Duplicate);
            if (_mapped is not null)
            {
                _mapped.Layout.Clear(part.Block, offset);
                return;
            }

            _lastSent = part;
            var zero = _output.Writer(RamItem.MaxHeaderLength + 1);
            RamItem.WriteZeroPage(ref zero, offset, name);
            _output.Put(zero);
            _cache?.Find(part.Key + page, (int)Counters.Syncs)?.AsSpan().Clear();
            return;
        }

        if (_multifd is not null)
        {
            _multifd.Add(part.Block, offset, isZero: false);
            return;
        }

        if (_mapped is not null)
        {
            _mapped.Add(part.Block, offset);
            Counters.Normal++;
            return;
        }

        // The first round sends everything anew: nothing is in the cache yet, and it would only be driven out again.
        if (_cache is not null && Counters.Syncs > 1)
        {
            SendByCache(part, page, offset, name, last);
            return;
        }

        PutHeader(part, offset, name);
        _output.PutPage(part.Block, offset);
        Counters.Normal++;
    }

    private void PutHeader(Part part, ulong offset, string? name)
    {
        _lastSent = part;
        var header = _output.Writer(RamItem.MaxHeaderLength);
        RamItem.WriteHeader(ref header, offset, RamFlags.Page, name);
        _output.Put(header);
    }

    /// <summary>What is sent and what the cache remembers must be the same bytes, though the guest may be writing: both come from one copy.</summary>
    private void SendByCache(Part part, long page, ulong offset, string? name, bool last)
    {
        part.Block.Read(offset, GuestPage.Size).CopyTo(_copy);
        var round = (int)Counters.Syncs;
        if (_cache!.Find(part.Key + page, round) is not { } old)
        {
            Counters.XbzrleMisses++;
            if (!last && _cache.Insert(part.Key + page, round) is { } slot)
                _copy.CopyTo(slot, 0);
            PutCopy(part, offset, name);
            return;
        }

        var length = Xbzrle.Encode(old, _copy, _encoded);
        if (length == 0)
        {
            Counters.XbzrlePages++;
            return;
        }

        _copy.CopyTo(old, 0);
        if (length == Xbzrle.Overflow)
        {
            Counters.XbzrlePages++;
            Counters.XbzrleOverflows++;
            Counters.XbzrleBytes += GuestPage.Size;
            PutCopy(part, offset, name);
            return;
        }

        _lastSent = part;
        var writer = _output.Writer(RamItem.MaxHeaderLength + 3 + GuestPage.Size);
        RamItem.WriteXbzrle(ref writer, offset, name, _encoded.AsSpan(0, length));
        Counters.XbzrlePages++;
        Counters.XbzrleBytes += writer.Position - 8;
        _output.Put(writer);
    }

    private void PutCopy(Part part, ulong offset, string? name)
    {
        PutHeader(part, offset, name);
        _output.Put(_copy);
        Counters.Normal++;
    }

    private sealed class Part(RamBlock block, ulong start, long key)
    {
        private ulong _holeStart;
        private ulong _holeEnd;
        private ulong _dataUntil;

        public RamBlock Block { get; } = block;

        /// <summary>Where it begins among the bytes of all.</summary>
        public ulong Start { get; } = start;

        /// <summary>Makes pages of different blocks differ in the cache.</summary>
        public long Key { get; } = key;

        public ulong[] Bits { get; } = new ulong[block.Dirty.Words];

        /// <summary>Whether a page is zero for want of memory behind it, which a look would put there. Costs little where pages are asked in order.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsHole(ulong offset) => offset - _holeEnd >= _dataUntil - _holeEnd && FindHole(offset);

        private bool FindHole(ulong offset)
        {
            if (offset >= _holeStart && offset < _holeEnd)
                return true;
            _holeStart = offset;
            _holeEnd = Block.NextData(offset);
            _dataUntil = _holeEnd + DataStride;
            return offset < _holeEnd;
        }

        /// <summary>Memory may be behind pages now that had none: those are dirty.</summary>
        public void ForgetHoles() => _holeStart = _holeEnd = _dataUntil = 0;

        public void SetAll()
        {
            Array.Fill(Bits, ulong.MaxValue);
            if ((Block.Dirty.Pages & 63) is var rest and > 0)
                Bits[^1] = (1UL << (int)rest) - 1;
        }
    }
}
