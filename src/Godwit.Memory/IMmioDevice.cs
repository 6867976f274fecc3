namespace Godwit.Memory;

/// <summary>What a device makes of accesses to its range of the physical address space (QEMU: <c>MemoryRegionOps</c>).
/// Called with the machine's lock held, one access at a time.</summary>
public interface IMmioDevice
{
    /// <summary>For people: <c>riscv.sifive.plic</c>.</summary>
    string Name { get; }

    /// <summary>Which accesses it takes; others are access faults to the guest, as in QEMU.</summary>
    AccessSizes Sizes { get; }

    /// <summary>Whether it takes this access, for devices whose registers differ in that (QEMU: <c>valid.accepts</c>).</summary>
    bool Accepts(ulong offset, int size, bool isWrite) => true;

    /// <param name="offset">From the start of the range.</param>
    /// <param name="size">1, 2, 4 or 8 bytes, within <see cref="Sizes"/>.</param>
    ulong Read(ulong offset, int size);

    void Write(ulong offset, int size, ulong value);
}

/// <summary>Access sizes in bytes. An access that isn't valid is an error; one that is valid but not implemented is split into smaller,
/// or served by a larger one, before the device sees it.</summary>
/// <param name="MinValid">QEMU: <c>valid.min_access_size</c>.</param>
/// <param name="MaxValid">QEMU: <c>valid.max_access_size</c>.</param>
/// <param name="MinImplemented">QEMU: <c>impl.min_access_size</c>.</param>
/// <param name="MaxImplemented">QEMU: <c>impl.max_access_size</c>.</param>
/// <param name="Unaligned">QEMU: <c>valid.unaligned</c>.</param>
public readonly record struct AccessSizes(int MinValid, int MaxValid, int MinImplemented = 1, int MaxImplemented = 4, bool Unaligned = false);
