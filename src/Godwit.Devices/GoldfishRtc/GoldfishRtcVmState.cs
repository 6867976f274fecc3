using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.GoldfishRtc.GoldfishRtcDevice>;

namespace Godwit.Devices.GoldfishRtc;

/// <summary>QEMU's <c>goldfish_rtc</c> (<c>hw/rtc/goldfish_rtc.c</c>).</summary>
public static class GoldfishRtcVmState
{
    public static VmStateDescription<GoldfishRtcDevice> Description { get; } = new("goldfish_rtc", 3, 0)
    {
        Fields =
        [
            Field.UInt64("tick_offset_vmstate", d => d.State.TickOffsetVmstate, (d, v) => d.State.TickOffsetVmstate = v),
            Field.UInt64("alarm_next", d => d.State.AlarmNext, (d, v) => d.State.AlarmNext = v),
            Field.UInt32("alarm_running", d => d.State.AlarmRunning, (d, v) => d.State.AlarmRunning = v),
            Field.UInt32("irq_pending", d => d.State.IrqPending, (d, v) => d.State.IrqPending = v),
            Field.UInt32("irq_enabled", d => d.State.IrqEnabled, (d, v) => d.State.IrqEnabled = v),
            Field.UInt32("time_high", d => d.State.TimeHigh, (d, v) => d.State.TimeHigh = v),
            Field.UInt64("tick_offset", d => d.State.TickOffset, (d, v) => d.State.TickOffset = v).Since(3),
        ],
        PostLoad = (d, version) => d.AfterLoad((int)version),
    };

    public static VmStateSection<GoldfishRtcDevice> Section(GoldfishRtcDevice device, uint instanceId = 0) =>
        new("goldfish_rtc", instanceId, Description, device);
}
