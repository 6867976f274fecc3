using System.Runtime.CompilerServices;

namespace Godwit.Memory;

/// <summary>A range of the physical address space: RAM, ROM, or a device.</summary>
public sealed unsafe class MemoryRegion
{
    internal MemoryRegion(ulong start, ulong length, RamBlock ram, ulong offset, bool readOnly)
    {
        Start = start;
        Length = length;
        Ram = ram;
        RamOffset = offset;
        IsReadOnly = readOnly;
        Host = ram.Host + offset;
    }

    internal MemoryRegion(ulong start, ulong length, IMmioDevice device)
    {
        Start = start;
        Length = length;
        Device = device;
    }

    public ulong Start { get; }

    /// <summary>In bytes.</summary>
    public ulong Length { get; }

    /// <summary>Null for a device's range.</summary>
    public RamBlock? Ram { get; }

    /// <summary>Where in the block the range starts.</summary>
    public ulong RamOffset { get; }

    /// <summary>Writes by the guest are dropped.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Null for RAM.</summary>
    public IMmioDevice? Device { get; }

    internal byte* Host { get; }

    /// <summary>Whether all of these bytes are in the range.</summary>
    public bool Contains(ulong address, ulong size) => address >= Start && address - Start < Length && size <= Length - (address - Start);

    /// <summary>A naturally aligned doubleword of RAM, read at once.</summary>
    public ulong Load64(ulong address)
    {
        Check(address, sizeof(ulong));
        // Sound: aligned and inside the mapping.
        return Volatile.Read(ref *(ulong*)(Host + (address - Start)));
    }

    /// <summary>A naturally aligned word of RAM, read at once.</summary>
    public uint Load32(ulong address)
    {
        Check(address, sizeof(uint));
        return Volatile.Read(ref *(uint*)(Host + (address - Start)));
    }

    /// <summary>Replaces a naturally aligned doubleword of RAM if it still is what was expected.</summary>
    public bool CompareExchange64(ulong address, ulong expected, ulong value)
    {
        Check(address, sizeof(ulong));
        var exchanged = Interlocked.CompareExchange(ref *(ulong*)(Host + (address - Start)), value, expected) == expected;
        // Not before: the bit could be taken, and the page sent, without the new value.
        MarkDirty(address);
        return exchanged;
    }

    /// <summary>Replaces a naturally aligned word of RAM if it still is what was expected.</summary>
    public bool CompareExchange32(ulong address, uint expected, uint value)
    {
        Check(address, sizeof(uint));
        var exchanged = Interlocked.CompareExchange(ref *(uint*)(Host + (address - Start)), value, expected) == expected;
        // As above.
        MarkDirty(address);
        return exchanged;
    }

    /// <summary>An atomic read-modify-write of a naturally aligned doubleword of RAM.</summary>
    /// <returns>What it was.</returns>
    public ulong Modify64(ulong address, AtomicOperation operation, ulong operand)
    {
        while (true)
        {
            var old = Load64(address);
            if (CompareExchange64(address, old, operation.Apply(old, operand)))
                return old;
        }
    }

    /// <summary>An atomic read-modify-write of a naturally aligned word of RAM.</summary>
    /// <returns>What it was.</returns>
    public uint Modify32(ulong address, AtomicOperation operation, uint operand)
    {
        while (true)
        {
            var old = Load32(address);
            if (CompareExchange32(address, old, operation.Apply(old, operand)))
                return old;
        }
    }

    /// <summary>Marks the page of this address dirty.</summary>
    public void MarkDirty(ulong address) => Ram!.Dirty.Set((long)((RamOffset + (address - Start)) >> GuestPage.Bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Check(ulong address, ulong size)
    {
        ObjectDisposedException.ThrowIf(Ram is { Host: null }, this);
        if (Ram is null || !Contains(address, size) || (address & (size - 1)) != 0)
            Throw(address, size);
        Ram!.Ensure(RamOffset + (address - Start), size);
    }

    private void Throw(ulong address, ulong size) =>
        throw new ArgumentOutOfRangeException(nameof(address), $"no {size} bytes of RAM at {address:x}, aligned, from {Start:x}");
}
