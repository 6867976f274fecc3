using Godwit.Migration;
using Godwit.Wire.VmState;
using BusField = Godwit.Wire.VmState.Field<Godwit.Devices.Gpex.GpexState>;
using RootField = Godwit.Wire.VmState.Field<Godwit.Devices.Gpex.PciFunction>;

namespace Godwit.Devices.Gpex;

/// <summary>QEMU's <c>gpex_root</c> (<c>hw/pci-host/gpex.c</c>), <c>PCIHost</c> (<c>hw/pci/pci_host.c</c>) and <c>PCIBUS</c>
/// (<c>hw/pci/pci.c</c>): the host bridge's function, its address register, and its lines.</summary>
public static class GpexVmState
{
    public static VmStateDescription<PciFunction> Root { get; } = new("gpex_root", 1, 1)
    {
        // QEMU 11.1 dumps the size of its structure in memory.
        Fields = [RootField.Struct("parent_obj", PciVmState.Description, d => d).InHost(2768)],
    };

    public static VmStateDescription<GpexState> Host { get; } = new("PCIHost", 1, 1)
    {
        Fields = [BusField.UInt32("config_reg", s => s.ConfigReg, (s, v) => s.ConfigReg = v)],
    };

    public static VmStateDescription<GpexState> Bus { get; } = new("PCIBUS", 1, 1)
    {
        Fields =
        [
            BusField.Int32Equal("nirq", _ => GpexHost.Lines),
            BusField.Int32Array("irq_count", s => s.IrqCount).Check(s => s.IrqCount.All(count => count >= 0), "a line that less than no function holds up"),
        ],
    };

    public static VmStateSection<PciFunction> RootSection(GpexHost device) => new("0000:00:00.0/gpex_root", 0, Root, device.Root);

    public static VmStateSection<GpexState> HostSection(GpexHost device) => new("PCIHost", 0, Host, device.State);

    public static VmStateSection<GpexState> BusSection(GpexHost device) => new("PCIBUS", 0, Bus, device.State);

    /// <summary>In the stream's order.</summary>
    public static IEnumerable<IDeviceSection> Sections(GpexHost device) => [RootSection(device), HostSection(device), BusSection(device)];
}
