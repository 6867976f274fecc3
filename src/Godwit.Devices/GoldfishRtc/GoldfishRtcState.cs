namespace Godwit.Devices.GoldfishRtc;

/// <summary>What a migration carries of the clock (QEMU: <c>goldfish_rtc</c>, version 3; <c>hw/rtc/goldfish_rtc.c</c>).</summary>
public sealed class GoldfishRtcState
{
    /// <summary>Sent, but used by versions before 3 only.</summary>
    public ulong TickOffsetVmstate { get; set; }

    /// <summary>When the alarm comes, in nanoseconds of the guest's calendar.</summary>
    public ulong AlarmNext { get; set; }

    /// <summary>1 while the alarm is set.</summary>
    public uint AlarmRunning { get; set; }

    public uint IrqPending { get; set; }

    public uint IrqEnabled { get; set; }

    /// <summary>The upper half of the time whose lower half was read.</summary>
    public uint TimeHigh { get; set; }

    /// <summary>What is added to the host's time in nanoseconds since 1970 to get the guest's; wraps.</summary>
    public ulong TickOffset { get; set; }
}
