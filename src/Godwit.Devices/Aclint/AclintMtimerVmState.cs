using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.Aclint.AclintMtimerDevice>;

namespace Godwit.Devices.Aclint;

/// <summary>QEMU's <c>riscv_mtimer</c> (<c>hw/intc/riscv_aclint.c</c>). Version 1, of QEMU up to 10.0, has the compare registers alone.
/// Newer QEMU takes nothing before version 3.</summary>
public static class AclintMtimerVmState
{
    private const uint WithTimers = 3;

    public static VmStateDescription<AclintMtimerDevice> Description { get; } = new("riscv_mtimer", 3, 1)
    {
        QemuMinimumVersion = WithTimers,
        Fields =
        [
            Field.UInt64("time_delta", d => d.State.TimeDelta, (d, v) => d.State.TimeDelta = v).Since(WithTimers),
            Field.UInt64Array("timecmp", d => d.State.Timecmp),
            // QEMU's are pointers to timers, of which it dumps no size.
            Field.TimerArray("timers", d => d.State.Timers).Since(WithTimers).InHost(0),
        ],
        PreSave = d => d.BeforeSave(),
        PostLoad = (d, version) =>
        {
            if (version >= WithTimers)
                d.AfterLoad();
            else
                d.AfterLoadOfCompareRegisters();
        },
    };

    public static VmStateSection<AclintMtimerDevice> Section(AclintMtimerDevice device, uint instanceId = 0) =>
        new("riscv_mtimer", instanceId, Description, device);
}
