namespace Godwit.Memory;

/// <summary>Fits an access to what a device takes (QEMU: <c>memory_region_access_valid</c> and <c>access_with_adjusted_size</c>).</summary>
public static class DeviceAccess
{
    /// <returns>False: it doesn't take such an access.</returns>
    public static bool TryRead(IMmioDevice device, ulong offset, int size, out ulong value)
    {
        value = 0;
        var sizes = device.Sizes;
        if (!IsValid(sizes, offset, size) || !device.Accepts(offset, size, isWrite: false))
            return false;
        var step = Math.Clamp(size, sizes.MinImplemented, sizes.MaxImplemented);
        if (step >= size)
        {
            value = device.Read(offset, step) & Mask(size);
            return true;
        }

        for (var done = 0; done < size; done += step)
            value |= (device.Read(offset + (ulong)done, step) & Mask(step)) << (done * 8);
        return true;
    }

    /// <returns>False: it doesn't take such an access.</returns>
    public static bool TryWrite(IMmioDevice device, ulong offset, int size, ulong value)
    {
        var sizes = device.Sizes;
        if (!IsValid(sizes, offset, size) || !device.Accepts(offset, size, isWrite: true))
            return false;
        var step = Math.Clamp(size, sizes.MinImplemented, sizes.MaxImplemented);
        if (step >= size)
        {
            device.Write(offset, step, value & Mask(size));
            return true;
        }

        for (var done = 0; done < size; done += step)
            device.Write(offset + (ulong)done, step, (value >> (done * 8)) & Mask(step));
        return true;
    }

    private static bool IsValid(AccessSizes sizes, ulong offset, int size) =>
        size >= sizes.MinValid && size <= sizes.MaxValid && (sizes.Unaligned || (offset & ((ulong)size - 1)) == 0);

    private static ulong Mask(int size) => size == 8 ? ulong.MaxValue : (1UL << (size * 8)) - 1;
}
