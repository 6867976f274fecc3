namespace Godwit.Devices.Gpex;

/// <summary>What a migration carries of a PCI function's header (QEMU: <c>PCIDevice</c>, version 2; <c>hw/pci/pci.c</c>).</summary>
/// <param name="configLength">256 for a conventional function, 4096 for an Express one.</param>
public sealed class PciFunctionState(int configLength)
{
    /// <summary>QEMU's <c>version_id</c> of every function.</summary>
    public int VersionId { get; set; } = 2;

    /// <summary>The configuration space.</summary>
    public byte[] Config { get; } = new byte[configLength];

    /// <summary>The levels of INTA to INTD, 0 or 1.</summary>
    public int[] IrqState { get; } = new int[4];
}
