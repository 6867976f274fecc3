using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.Plic.PlicDevice>;

namespace Godwit.Devices.Plic;

/// <summary>QEMU's <c>riscv_sifive_plic</c> (<c>hw/intc/sifive_plic.c</c>).</summary>
public static class PlicVmState
{
    public static VmStateDescription<PlicDevice> Description { get; } = new("riscv_sifive_plic", 1, 1)
    {
        Fields =
        [
            Field.UInt32Array("source_priority", d => d.State.SourcePriority),
            Field.UInt32Array("target_priority", d => d.State.TargetPriority),
            Field.UInt32Array("pending", d => d.State.Pending),
            Field.UInt32Array("claimed", d => d.State.Claimed),
            Field.UInt32Array("enable", d => d.State.Enable),
        ],
    };

    public static VmStateSection<PlicDevice> Section(PlicDevice device, uint instanceId = 0) => new("riscv_sifive_plic", instanceId, Description, device);
}
