namespace Godwit.Devices.Gpex;

/// <summary>What a migration carries of the host bridge besides its function 0 (QEMU: <c>PCIHost</c>, version 1, and <c>PCIBUS</c>,
/// version 1).</summary>
public sealed class GpexState
{
    /// <summary>The address register of the older configuration access, which this board doesn't have; always 0.</summary>
    public uint ConfigReg { get; set; }

    /// <summary>How many functions hold up each of the four lines.</summary>
    public int[] IrqCount { get; } = new int[GpexHost.Lines];
}
