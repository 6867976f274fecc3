using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Godwit.Memory;

/// <summary>Where a hart's virtual pages lie in this process, for one privilege mode. An entry for reading and one for writing are apart:
/// a page gets its writing entry only after it was marked dirty, so that a first store can't pass unseen.
/// Belongs to one hart's thread; nobody else may call it.</summary>
public sealed unsafe class SoftwareTlb
{
    private const int Bits = 12;
    private const int Count = 1 << Bits;
    private const int EntryBits = 4;
    private const ulong NoTag = ulong.MaxValue;

    // Pinned, so that the two pointers into it stay right for as long as this object lives.
    private readonly Entry[] _entries = GC.AllocateUninitializedArray<Entry>(2 * Count, pinned: true);
    private readonly Entry* _read;
    private readonly Entry* _write;
    private bool _isEmpty;

    /// <summary>
    /// <code>
    /// Tag     virtual address of the page; NoTag (which no aligned address equals) when empty
    /// Addend  host address of the page minus its virtual address
    /// </code>
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Tag;
        public ulong Addend;
    }

    public SoftwareTlb()
    {
        _read = (Entry*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_entries));
        _write = _read + Count;
        Flush();
    }

    /// <summary>Forgets everything.</summary>
    public void Flush()
    {
        if (_isEmpty)
            return;
        MemoryMarshal.AsBytes(_entries.AsSpan()).Fill(0xff);
        _isEmpty = true;
    }

    /// <summary>Forgets what may be written, so that the next store to each page takes the slow path again.</summary>
    public void FlushWrites() => MemoryMarshal.AsBytes(_entries.AsSpan(Count)).Fill(0xff);

    /// <summary>Forgets one page.</summary>
    public void FlushPage(ulong address)
    {
        At(_read, address)->Tag = NoTag;
        At(_write, address)->Tag = NoTag;
    }

    /// <summary>From now on reads of this virtual page go straight to RAM.</summary>
    public void EnterRead(ulong virtualAddress, MemoryRegion region, ulong physicalAddress) =>
        Enter(_read, virtualAddress, region, physicalAddress);

    /// <summary>From now on writes to this virtual page go straight to RAM. Marks it dirty.</summary>
    public void EnterWrite(ulong virtualAddress, MemoryRegion region, ulong physicalAddress)
    {
        region.MarkDirty(physicalAddress);
        Enter(_write, virtualAddress, region, physicalAddress);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead<T>(ulong address, out T value)
        where T : unmanaged
    {
        var entry = At(_read, address);
        // A misaligned address differs from every tag in its low bits, and so takes the slow path.
        if (entry->Tag == (address & (~GuestPage.OffsetMask | ((ulong)sizeof(T) - 1))))
        {
            // Sound: the tag says that the page is mapped at address + Addend, and an aligned value doesn't leave it.
            value = *(T*)(address + entry->Addend);
            return true;
        }

        Unsafe.SkipInit(out value);
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWrite<T>(ulong address, T value)
        where T : unmanaged
    {
        var entry = At(_write, address);
        if (entry->Tag == (address & (~GuestPage.OffsetMask | ((ulong)sizeof(T) - 1))))
        {
            // Sound: as in TryRead.
            *(T*)(address + entry->Addend) = value;
            return true;
        }

        return false;
    }

    /// <summary>Reads at any alignment, within a page.</summary>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    public bool TryReadUnaligned(ulong address, int size, out ulong value)
    {
        var entry = At(_read, address);
        value = 0;
        if (entry->Tag != (address & ~GuestPage.OffsetMask) || (address & GuestPage.OffsetMask) + (ulong)size > GuestPage.Size)
            return false;
        // Sound: the tag says that the page is mapped at address + Addend, and the bytes don't leave it.
        var at = (void*)(address + entry->Addend);
        value = size switch { 1 => *(byte*)at, 2 => Unsafe.ReadUnaligned<ushort>(at), 4 => Unsafe.ReadUnaligned<uint>(at), _ => Unsafe.ReadUnaligned<ulong>(at) };
        return true;
    }

    /// <summary>Writes at any alignment, within a page.</summary>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    public bool TryWriteUnaligned(ulong address, int size, ulong value)
    {
        var entry = At(_write, address);
        if (entry->Tag != (address & ~GuestPage.OffsetMask) || (address & GuestPage.OffsetMask) + (ulong)size > GuestPage.Size)
            return false;
        // Sound: as in TryReadUnaligned.
        var at = (void*)(address + entry->Addend);
        switch (size)
        {
            case 1:
                *(byte*)at = (byte)value;
                break;
            case 2:
                Unsafe.WriteUnaligned(at, (ushort)value);
                break;
            case 4:
                Unsafe.WriteUnaligned(at, (uint)value);
                break;
            default:
                Unsafe.WriteUnaligned(at, value);
                break;
        }

        return true;
    }

    /// <summary>An atomic read-modify-write of an aligned word. False: the page has no writing entry.</summary>
    public bool TryAtomic(ulong address, AtomicOperation operation, uint operand, out uint old)
    {
        var entry = At(_write, address);
        old = 0;
        if (entry->Tag != (address & (~GuestPage.OffsetMask | (sizeof(uint) - 1))))
            return false;
        // Sound: as in TryRead.
        ref var cell = ref *(uint*)(address + entry->Addend);
        uint expected;
        do
        {
            expected = Volatile.Read(ref cell);
            old = Interlocked.CompareExchange(ref cell, operation.Apply(expected, operand), expected);
        }
        while (old != expected);
        return true;
    }

    /// <summary>An atomic read-modify-write of an aligned doubleword. False: the page has no writing entry.</summary>
    public bool TryAtomic(ulong address, AtomicOperation operation, ulong operand, out ulong old)
    {
        var entry = At(_write, address);
        old = 0;
        if (entry->Tag != (address & (~GuestPage.OffsetMask | (sizeof(ulong) - 1))))
            return false;
        // Sound: as in TryRead.
        ref var cell = ref *(ulong*)(address + entry->Addend);
        ulong expected;
        do
        {
            expected = Volatile.Read(ref cell);
            old = Interlocked.CompareExchange(ref cell, operation.Apply(expected, operand), expected);
        }
        while (old != expected);
        return true;
    }

    /// <summary>Stores an aligned word if it still is what was expected. False: the page has no writing entry.</summary>
    public bool TryCompareExchange(ulong address, uint expected, uint value, out bool exchanged)
    {
        var entry = At(_write, address);
        exchanged = false;
        if (entry->Tag != (address & (~GuestPage.OffsetMask | (sizeof(uint) - 1))))
            return false;
        // Sound: as in TryRead.
        exchanged = Interlocked.CompareExchange(ref *(uint*)(address + entry->Addend), value, expected) == expected;
        return true;
    }

    /// <summary>Stores an aligned doubleword if it still is what was expected. False: the page has no writing entry.</summary>
    public bool TryCompareExchange(ulong address, ulong expected, ulong value, out bool exchanged)
    {
        var entry = At(_write, address);
        exchanged = false;
        if (entry->Tag != (address & (~GuestPage.OffsetMask | (sizeof(ulong) - 1))))
            return false;
        // Sound: as in TryRead.
        exchanged = Interlocked.CompareExchange(ref *(ulong*)(address + entry->Addend), value, expected) == expected;
        return true;
    }

    private void Enter(Entry* table, ulong virtualAddress, MemoryRegion region, ulong physicalAddress)
    {
        var page = physicalAddress & ~GuestPage.OffsetMask;
        if (region.Ram is null || !region.Contains(page, GuestPage.Size))
            throw new ArgumentException($"no RAM at {physicalAddress:x}", nameof(physicalAddress));
        region.Ram.Ensure(region.RamOffset + (page - region.Start), GuestPage.Size);
        _isEmpty = false;
        var entry = At(table, virtualAddress);
        entry->Tag = virtualAddress & ~GuestPage.OffsetMask;
        entry->Addend = (ulong)(region.Host + (page - region.Start)) - entry->Tag;
    }

    // An entry is 16 bytes: its offset is found without shifting to and fro.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Entry* At(Entry* table, ulong address) =>
        (Entry*)((byte*)table + (nuint)((address >> (GuestPage.Bits - EntryBits)) & ((Count - 1) << EntryBits)));
}
