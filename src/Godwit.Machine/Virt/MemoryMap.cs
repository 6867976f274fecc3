namespace Godwit.Machine.Virt;

/// <param name="Name">QEMU's name of the memory region (<c>info mtree</c>).</param>
/// <param name="Base">Physical address.</param>
/// <param name="Size">Bytes that the board sets aside; a device may answer in fewer.</param>
public readonly record struct MemoryMapEntry(string Name, ulong Base, ulong Size)
{
    /// <summary>The first address after it.</summary>
    public ulong End => Base + Size;
}

/// <summary>Where the board's parts are, and on which interrupt lines. Source: QEMU <c>hw/riscv/virt.c</c> and <c>include/hw/riscv/virt.h</c>.</summary>
public static class MemoryMap
{
    public const int MaxHarts = 8;

    /// <summary>QEMU's board has room for this many harts, and its PLIC is as long as all of them need.</summary>
    private const ulong PlicContexts = 512 * 2;

    public static readonly MemoryMapEntry Mrom = new("riscv_virt_board.mrom", 0x1000, 0xf000);
    public static readonly MemoryMapEntry Test = new("riscv.sifive.test", 0x10_0000, 0x1000);
    public static readonly MemoryMapEntry Rtc = new("goldfish_rtc", 0x10_1000, 0x1000);
    public static readonly MemoryMapEntry Clint = new("riscv.aclint.swi", 0x200_0000, 0x1_0000);
    public static readonly MemoryMapEntry PciePio = new("gpex_ioport_window", 0x300_0000, 0x1_0000);
    public static readonly MemoryMapEntry PlatformBus = new("platform bus", 0x400_0000, 0x200_0000);
    public static readonly MemoryMapEntry Plic = new("riscv.sifive.plic", 0xc00_0000, 0x20_0000 + PlicContexts * 0x1000);
    public static readonly MemoryMapEntry Uart0 = new("serial", 0x1000_0000, 0x100);

    /// <summary>The first of <see cref="VirtioCount"/>, one after the other.</summary>
    public static readonly MemoryMapEntry Virtio = new("virtio-mmio", 0x1000_1000, 0x1000);

    public static readonly MemoryMapEntry FwCfg = new("fwcfg", 0x1010_0000, 0x18);
    public static readonly MemoryMapEntry Flash0 = new("virt.flash0", 0x2000_0000, 0x200_0000);
    public static readonly MemoryMapEntry Flash1 = new("virt.flash1", 0x2200_0000, 0x200_0000);
    public static readonly MemoryMapEntry PcieEcam = new("pcie-ecam", 0x3000_0000, 0x1000_0000);
    public static readonly MemoryMapEntry PcieMmio = new("pcie-mmio", 0x4000_0000, 0x4000_0000);

    /// <summary>RAM blocks that stand nowhere in the guest's memory: ACPI tables as firmware reads them. They have a place in the stream
    /// (QEMU: <c>hw/acpi/aml-build.h</c>, ACPI_BUILD_TABLE_MAX_SIZE… as <c>hw/riscv/virt-acpi-build.c</c> fills them up).</summary>
    public static readonly IReadOnlyList<(string Name, ulong Size)> AcpiBlocks =
        [("/rom@etc/acpi/tables", 0x2_0000), ("/rom@etc/table-loader", 0x1000), ("/rom@etc/acpi/rsdp", 0x1000)];

    /// <summary>How much of the last two QEMU's tables take, in bytes; of the first one all.</summary>
    public const ulong AcpiLoaderLength = 0x900, AcpiRsdpLength = 0x24;

    public const string RamName = "riscv_virt_board.ram";
    public const ulong RamBase = 0x8000_0000;

    /// <summary>The clock of mtime, in hertz.</summary>
    public const uint TimebaseFrequency = 10_000_000;

    public const int VirtioCount = 8;

    public const uint FirstVirtioInterrupt = 1;
    public const uint UartInterrupt = 10;
    public const uint RtcInterrupt = 11;
    public const uint FirstPcieInterrupt = 32;

    /// <summary>The PLIC's sources are numbered from 1 to this, inclusive.</summary>
    public const uint LastInterrupt = 95;

    private const ulong HighPcieSize = 16UL << 30;

    /// <summary>All that has a fixed place, in the order of addresses.</summary>
    public static IReadOnlyList<MemoryMapEntry> Fixed { get; } =
        [Mrom, Test, Rtc, Clint, PciePio, PlatformBus, Plic, Uart0, .. Enumerable.Range(0, VirtioCount).Select(VirtioDevice), FwCfg, Flash0, Flash1, PcieEcam, PcieMmio];

    /// <param name="index">From 0 to <see cref="VirtioCount"/> - 1.</param>
    public static MemoryMapEntry VirtioDevice(int index) => Virtio with { Base = Virtio.Base + (ulong)index * Virtio.Size };

    /// <param name="memorySize">In bytes.</param>
    public static MemoryMapEntry Ram(ulong memorySize) => new(RamName, RamBase, memorySize);

    /// <summary>The PCIe window above RAM: as long as its alignment.</summary>
    /// <param name="memorySize">In bytes.</param>
    public static MemoryMapEntry HighPcieMmio(ulong memorySize) =>
        new("pcie-mmio-high", (RamBase + memorySize + HighPcieSize - 1) & ~(HighPcieSize - 1), HighPcieSize);
}
