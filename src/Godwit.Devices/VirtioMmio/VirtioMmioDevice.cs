using Godwit.Memory;

namespace Godwit.Devices.VirtioMmio;

/// <summary>A virtio-mmio slot that nothing is plugged into: it says what it is, and that no device is there, so that drivers pass on
/// (QEMU: <c>virtio-mmio</c> without a backend, <c>hw/virtio/virtio-mmio.c</c>). It has no state to migrate.</summary>
public sealed class VirtioMmioDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes; the board's slots are 4 KiB apart.</summary>
    public const ulong RegionSize = 0x200;

    private const ulong MagicValue = 0x00, Version = 0x04, VendorId = 0x0c;

    // "virt" and "QEMU", and the version of the legacy interface, which the board's slots have (force-legacy's default).
    private const uint Magic = 0x74726976, Vendor = 0x554d4551, LegacyVersion = 1;

    public string Name => "virtio-mmio";

    public AccessSizes Sizes => new(1, 8);

    public ulong Read(ulong offset, int size) => offset switch
    {
        MagicValue => Magic,
        Version => LegacyVersion,
        VendorId => Vendor,
        _ => 0,
    };

    public void Write(ulong offset, int size, ulong value)
    {
    }

    /// <summary>Nothing to reset.</summary>
    public void Reset()
    {
    }
}
