using System.Runtime.CompilerServices;
using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Memory;

/// <summary>A block of guest RAM with the name and the length that the migration stream gives it (QEMU: <c>RAMBlock</c>).</summary>
public sealed unsafe class RamBlock : IDisposable
{
    /// <summary>Bytes that are fetched at once where pages come as they are needed.</summary>
    public const ulong ChunkLength = 256 << 10;

    private readonly MemoryMapping _mapping;
    private AbsentPages? _absent;

    /// <param name="idstr">QEMU's name of the block, such as <c>riscv_virt_board.ram</c>.</param>
    /// <param name="mapping">The memory; it goes with the block.</param>
    public RamBlock(string idstr, MemoryMapping mapping)
    {
        if (mapping.Length == 0 || (mapping.Length & GuestPage.OffsetMask) != 0)
            throw new ArgumentException($"RAM block {idstr}: {mapping.Length} bytes are no whole pages", nameof(mapping));
        IdStr = idstr;
        _mapping = mapping;
        Dirty = new DirtyBitmap((long)(mapping.Length >> GuestPage.Bits));
    }

    public string IdStr { get; }

    /// <summary>In bytes, whole pages.</summary>
    public ulong Length => _mapping.Length;

    /// <summary>The memfd or file behind it, for those who map it too; null for memory of this process alone.</summary>
    public SafeFileHandle? File => _mapping.IsShared ? _mapping.File : null;

    /// <summary>Where in the guest's memory it begins; 0 for a block that stands nowhere (QEMU: <c>mr->addr</c>).</summary>
    public ulong Address { get; init; }

    /// <summary>Whether it is a file of the host's that others may map too: with x-ignore-shared its pages don't go through the stream.</summary>
    public bool IsSharedFile { get; init; }

    /// <summary>Pages written since their bits were taken.</summary>
    public DirtyBitmap Dirty { get; }

    /// <summary>Whether a page that was never marked dirty is known to be zero.</summary>
    public bool WasEmpty => _mapping.WasEmpty;

    internal byte* Host => _mapping.Address;

    /// <summary>A block of memory of this process alone (QEMU: memory-backend-ram).</summary>
    public static RamBlock Create(string idstr, ulong length) => new(idstr, MemoryMapping.CreatePrivate(idstr, length));

    /// <summary>A block that others may map too (QEMU: memory-backend-memfd).</summary>
    public static RamBlock CreateShared(string idstr, ulong length) => new(idstr, MemoryMapping.CreateMemfd(idstr, length));

    /// <summary>From now on whoever needs pages has them fetched first, a chunk at a time, on the thread that needs them.</summary>
    /// <param name="fetch">Fills pages of this block, by <see cref="Place"/>; takes offset and length. What it doesn't fill stays as it is. Throws where it can't.</param>
    /// <param name="arrived">Called once, when all are there, on the thread that fetched the last.</param>
    public void Expect(Action<RamBlock, ulong, int> fetch, Action arrived) => Volatile.Write(ref _absent, new AbsentPages(this, fetch, () =>
    {
        Volatile.Write(ref _absent, null);
        arrived();
    }));

    /// <summary>Has a chunk fetched that nobody has needed yet.</summary>
    public void Fetch(ulong chunk, Action<RamBlock, ulong, int> fetch) => Volatile.Read(ref _absent)?.Fetch(chunk, fetch);

    /// <summary>Where to put pages that are being fetched.</summary>
    public Span<byte> Place(ulong offset, int length)
    {
        Check(offset, length);
        Dirty.SetRange(offset, (ulong)length);
        return new Span<byte>(Host + offset, length);
    }

    /// <summary>Bytes to look at. Harts may change them meanwhile.</summary>
    public ReadOnlySpan<byte> Read(ulong offset, int length)
    {
        Check(offset, length);
        Ensure(offset, (ulong)length);
        // Sound: the range is inside the mapping, which lives as long as the block.
        return new ReadOnlySpan<byte>(Host + offset, length);
    }

    /// <summary>Has bytes written from where they are. Harts may change them meanwhile; the block must outlive the writing.</summary>
    public void AddTo(GatherBuffer gather, ulong offset, int length)
    {
        Check(offset, length);
        Ensure(offset, (ulong)length);
        gather.Add(Host + offset, length);
    }

    /// <summary>Has bytes read to where they belong; their pages are dirty from now on. The block must outlive the reading.</summary>
    public void AddTo(ScatterBuffer scatter, ulong offset, int length)
    {
        Check(offset, length);
        Ensure(offset, (ulong)length);
        Dirty.SetRange(offset, (ulong)length);
        scatter.Add(Host + offset, length);
    }

    /// <summary>Bytes to change; their pages are dirty from now on.</summary>
    public Span<byte> Write(ulong offset, int length)
    {
        Check(offset, length);
        Ensure(offset, (ulong)length);
        Dirty.SetRange(offset, (ulong)length);
        return new Span<byte>(Host + offset, length);
    }

    /// <summary>Where memory begins again that the host has put something behind: from <paramref name="offset"/> up to there all is zero.</summary>
    /// <returns>In bytes from the start of the block; <paramref name="offset"/> itself where it isn't known.</returns>
    public ulong NextData(ulong offset) => Volatile.Read(ref _absent) is null ? _mapping.NextData(offset) : offset;

    /// <summary>Has the host put memory behind a range before it is written.</summary>
    /// <returns>False where that can't be done.</returns>
    public bool TryPopulate(ulong offset, ulong length) => _mapping.TryPopulate(offset, length);

    /// <summary>Has the host map a range before it is read, unless that could cost memory.</summary>
    /// <returns>False where that can't be done.</returns>
    public bool TryMap(ulong offset, ulong length) => _mapping.TryMap(offset, length);

    /// <summary>Makes pages zero that are being fetched, without touching those that are known to be.</summary>
    public void PlaceZeros(ulong offset, ulong length)
    {
        for (var end = offset + length; offset < end; offset += GuestPage.Size)
        {
            if (!WasEmpty || Dirty[(long)(offset >> GuestPage.Bits)])
                Place(offset, GuestPage.Size).Clear();
        }
    }

    /// <summary>Makes a page zero, without touching one that is known to be.</summary>
    /// <param name="offset">A multiple of the page's size.</param>
    public void ClearPage(ulong offset)
    {
        Ensure(offset, GuestPage.Size);
        if (!WasEmpty || Dirty[(long)(offset >> GuestPage.Bits)])
            Write(offset, GuestPage.Size).Clear();
    }

    public void Dispose() => _mapping.Dispose();

    /// <summary>Returns when these bytes are there: at once but for a block whose pages are expected.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Ensure(ulong offset, ulong length)
    {
        if (Volatile.Read(ref _absent) is { } absent)
            absent.Ensure(offset, length);
    }

    private void Check(ulong offset, int length)
    {
        ObjectDisposedException.ThrowIf(Host == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > Length || (ulong)length > Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"RAM block {IdStr} has {Length} bytes, not {length} at {offset}");
    }
}
