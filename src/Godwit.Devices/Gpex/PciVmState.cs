using System.Buffers.Binary;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.Gpex.PciFunction>;

namespace Godwit.Devices.Gpex;

/// <summary>QEMU's <c>PCIDevice</c>, the part that every PCI function saves first (<c>hw/pci/pci.c</c>).</summary>
public static class PciVmState
{
    private const int ConventionalLength = 256, ExpressLength = 4096;

    public static VmStateDescription<PciFunction> Description { get; } = new("PCIDevice", 2, 1)
    {
        Fields =
        [
            Field.Int32LessEqual("version_id", d => d.State.VersionId, (d, v) => d.State.VersionId = v),
            Config(ConventionalLength),
            Config(ExpressLength),
            Field.Custom("irq_state", "pci irq state", 16, SaveLevels, LoadLevels).Since(2),
        ],
        PostLoad = (d, _) => d.AfterLoad(),
    };

    private static VmStateField<PciFunction> Config(int length) =>
        Field.Custom("config", "pci config", length, (d, b) => d.State.Config.CopyTo(b), (d, b) => d.LoadConfig(b))
            .When((d, _) => d.State.Config.Length == length);

    private static void SaveLevels(PciFunction function, Span<byte> bytes)
    {
        for (var pin = 0; pin < function.State.IrqState.Length; pin++)
            BinaryPrimitives.WriteInt32BigEndian(bytes[(4 * pin)..], function.State.IrqState[pin]);
    }

    private static void LoadLevels(PciFunction function, ReadOnlySpan<byte> bytes)
    {
        for (var pin = 0; pin < function.State.IrqState.Length; pin++)
        {
            var level = BinaryPrimitives.ReadInt32BigEndian(bytes[(4 * pin)..]);
            if (level is not (0 or 1))
                throw new InvalidDataException($"the level of pin {pin} is {level}");
            function.State.IrqState[pin] = level;
        }
    }
}
