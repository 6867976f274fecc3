namespace Godwit.Memory;

/// <summary>The machine's physical address space: what answers at an address (QEMU: <c>AddressSpace</c>).
/// RAM is read and written in place; devices one access at a time, under the machine's lock.</summary>
public sealed class AddressSpace
{
    private MemoryRegion[] _regions = [];

    /// <summary>The machine's lock: held by whoever touches a device (QEMU: the BQL).</summary>
    public Lock DeviceLock { get; } = new();

    /// <summary>In order of their addresses.</summary>
    public IReadOnlyList<MemoryRegion> Regions => _regions;

    /// <summary>Puts a part of a RAM block at an address.</summary>
    /// <param name="readOnly">ROM: what the guest writes is dropped.</param>
    /// <exception cref="ArgumentException">Something is there already.</exception>
    public MemoryRegion MapRam(ulong start, RamBlock block, ulong offset, ulong length, bool readOnly = false)
    {
        if (length == 0 || offset > block.Length || length > block.Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"RAM block {block.IdStr} has no {length} bytes at {offset}");
        return Add(new MemoryRegion(start, length, block, offset, readOnly));
    }

    /// <summary>Puts a device at an address.</summary>
    /// <exception cref="ArgumentException">Something is there already.</exception>
    public MemoryRegion MapDevice(ulong start, ulong length, IMmioDevice device) => Add(new MemoryRegion(start, length, device));

    /// <summary>What answers at an address; null if nothing does.</summary>
    public MemoryRegion? Find(ulong address)
    {
        var regions = Volatile.Read(ref _regions);
        int low = 0, high = regions.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var region = regions[middle];
            if (address < region.Start)
                high = middle - 1;
            else if (address - region.Start >= region.Length)
                low = middle + 1;
            else
                return region;
        }

        return null;
    }

    /// <summary>Copies bytes out of RAM, for a device's DMA or a loader. False when they aren't all RAM; those before are copied.</summary>
    public bool TryRead(ulong address, Span<byte> bytes)
    {
        if (PassesEnd(address, bytes.Length))
            return false;
        while (bytes.Length > 0)
        {
            if (Find(address) is not { Ram: { } ram } region)
                return false;
            var length = (int)Math.Min((ulong)bytes.Length, region.Length - (address - region.Start));
            ram.Read(region.RamOffset + (address - region.Start), length).CopyTo(bytes);
            bytes = bytes[length..];
            address += (ulong)length;
        }

        return true;
    }

    /// <summary>Copies bytes into RAM and marks its pages dirty. False when they aren't all writable RAM; those before are copied.</summary>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (PassesEnd(address, bytes.Length))
            return false;
        while (bytes.Length > 0)
        {
            if (Find(address) is not { Ram: { } ram, IsReadOnly: false } region)
                return false;
            var length = (int)Math.Min((ulong)bytes.Length, region.Length - (address - region.Start));
            var offset = region.RamOffset + (address - region.Start);
            bytes[..length].CopyTo(ram.Write(offset, length));
            // Once more: the bits may have been taken, and the pages sent, before the bytes were there.
            Interlocked.MemoryBarrier();
            ram.Dirty.SetRange(offset, (ulong)length);
            bytes = bytes[length..];
            address += (ulong)length;
        }

        return true;
    }

    /// <summary>Reads from a device as a hart does.</summary>
    /// <param name="size">1, 2, 4 or 8.</param>
    /// <returns>False: nothing there, or it doesn't take such an access.</returns>
    public bool TryLoadDevice(ulong address, int size, out ulong value)
    {
        value = 0;
        if (Find(address) is not { Device: { } device } region || !region.Contains(address, (ulong)size))
            return false;
        lock (DeviceLock)
            return DeviceAccess.TryRead(device, address - region.Start, size, out value);
    }

    /// <summary>Writes to a device as a hart does.</summary>
    /// <returns>False: nothing there, or it doesn't take such an access.</returns>
    public bool TryStoreDevice(ulong address, int size, ulong value)
    {
        if (Find(address) is not { Device: { } device } region || !region.Contains(address, (ulong)size))
            return false;
        lock (DeviceLock)
            return DeviceAccess.TryWrite(device, address - region.Start, size, value);
    }

    private static bool PassesEnd(ulong address, int length) => length > 0 && address > ulong.MaxValue - (ulong)(length - 1);

    private MemoryRegion Add(MemoryRegion region)
    {
        lock (DeviceLock)
        {
            if (region.Length == 0 || region.Start + (region.Length - 1) < region.Start)
                throw new ArgumentException($"a range of {region.Length} bytes at {region.Start:x}", nameof(region));
            if (_regions.FirstOrDefault(r => r.Start <= region.Start + (region.Length - 1) && region.Start <= r.Start + (r.Length - 1)) is { } other)
                throw new ArgumentException($"{region.Start:x} is taken by the range at {other.Start:x}", nameof(region));
            _regions = [.. _regions.Append(region).OrderBy(r => r.Start)];
        }

        return region;
    }
}
