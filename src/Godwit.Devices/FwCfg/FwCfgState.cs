namespace Godwit.Devices.FwCfg;

/// <summary>What a migration carries of the device (QEMU: <c>fw_cfg</c>, version 2, and its subsections; <c>hw/nvram/fw_cfg.c</c>).
/// The entries aren't in it: each side makes its own.</summary>
public sealed class FwCfgState
{
    /// <summary>The selected key.</summary>
    public ushort CurEntry { get; set; }

    /// <summary>How much of the entry has been read, in bytes.</summary>
    public uint CurOffset { get; set; }

    /// <summary>The upper half of the DMA's address until the lower one comes (<c>fw_cfg/dma</c>).</summary>
    public ulong DmaAddr { get; set; }

    /// <summary>Lengths of the ACPI files' RAM blocks (<c>fw_cfg/acpi_mr</c>), which goes only when they are no whole pages.</summary>
    public ulong TableMrSize { get; set; }

    /// <inheritdoc cref="TableMrSize"/>
    public ulong LinkerMrSize { get; set; }

    /// <inheritdoc cref="TableMrSize"/>
    public ulong RsdpMrSize { get; set; }
}
