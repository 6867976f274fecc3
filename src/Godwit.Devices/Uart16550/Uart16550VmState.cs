using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.Uart16550.Uart16550Device>;
using FifoField = Godwit.Wire.VmState.Field<Godwit.Devices.Uart16550.Fifo8>;

namespace Godwit.Devices.Uart16550;

/// <summary>QEMU's <c>serial</c>: the memory-mapped port (<c>hw/char/serial-mm.c</c>) holds the port itself (<c>hw/char/serial.c</c>) as a
/// structure of the same name.</summary>
public static class Uart16550VmState
{
    private const int NoPoll = -1;

    private static readonly VmStateDescription<Fifo8> s_fifo8 = new("Fifo8", 1, 1)
    {
        Fields =
        [
            FifoField.VarBuffer("data", f => f.Data, _ => Fifo8.Capacity).Since(1),
            FifoField.UInt32("head", f => f.Head, (f, v) => f.Head = v).Check(f => f.Head < Fifo8.Capacity, "past the FIFO's end"),
            FifoField.UInt32("num", f => f.Num, (f, v) => f.Num = v).Check(f => f.Num <= Fifo8.Capacity, "more than the FIFO holds"),
        ],
    };

    private static readonly VmStateDescription<Uart16550Device> s_serial = new("serial", 3, 2)
    {
        Fields =
        [
            Field.UInt16("divider", d => d.State.Divider, (d, v) => d.State.Divider = v).Since(2),
            Field.UInt8("rbr", d => d.State.Rbr, (d, v) => d.State.Rbr = v),
            Field.UInt8("ier", d => d.State.Ier, (d, v) => d.State.Ier = v),
            Field.UInt8("iir", d => d.State.Iir, (d, v) => d.State.Iir = v),
            Field.UInt8("lcr", d => d.State.Lcr, (d, v) => d.State.Lcr = v),
            Field.UInt8("mcr", d => d.State.Mcr, (d, v) => d.State.Mcr = v),
            Field.UInt8("lsr", d => d.State.Lsr, (d, v) => d.State.Lsr = v),
            Field.UInt8("msr", d => d.State.Msr, (d, v) => d.State.Msr = v),
            Field.UInt8("scr", d => d.State.Scr, (d, v) => d.State.Scr = v),
            Field.UInt8("fcr_vmstate", d => d.State.Fcr, (d, v) => d.State.Fcr = v).Since(3),
        ],
        Subsections =
        [
            Optional("serial/thr_ipending", d => NeedsThrIpending(d.State), Field.Int32("thr_ipending", d => d.State.ThrIpending, (d, v) => d.State.ThrIpending = v)),
            Optional(
                "serial/tsr",
                d => d.State.TsrRetry != 0,
                Field.UInt32("tsr_retry", d => d.State.TsrRetry, (d, v) => d.State.TsrRetry = v),
                Field.UInt8("thr", d => d.State.Thr, (d, v) => d.State.Thr = v),
                Field.UInt8("tsr", d => d.State.Tsr, (d, v) => d.State.Tsr = v)),
            Optional("serial/recv_fifo", d => !d.State.RecvFifo.IsEmpty, Field.Struct("recv_fifo", s_fifo8, d => d.State.RecvFifo).Since(1).InHost(24)),
            Optional("serial/xmit_fifo", d => !d.State.XmitFifo.IsEmpty, Field.Struct("xmit_fifo", s_fifo8, d => d.State.XmitFifo).Since(1).InHost(24)),
            Optional("serial/fifo_timeout_timer", d => d.State.FifoTimeoutTimer >= 0,
                Field.Timer("fifo_timeout_timer", d => d.State.FifoTimeoutTimer, (d, v) => d.State.FifoTimeoutTimer = v)),
            Optional("serial/timeout_ipending", d => d.State.TimeoutIpending != 0,
                Field.Int32("timeout_ipending", d => d.State.TimeoutIpending, (d, v) => d.State.TimeoutIpending = v)),
            // Modem lines are polled on real ports only, which there are none of here.
            Optional("serial/poll", _ => false, Field.Int32("poll_msl", _ => NoPoll, (_, _) => { }), Field.Timer("modem_status_poll", _ => -1, (_, _) => { })),
        ],
        PreSave = d => d.BeforeSave(),
        PreLoad = (d, _) => Clear(d.State),
        PostLoad = (d, _) => d.AfterLoad(),
    };

    public static VmStateDescription<Uart16550Device> Description { get; } = new("serial", 3, 2)
    {
        // QEMU 11.1 dumps the size of its structure in memory.
        Fields = [Field.Struct("serial", s_serial, d => d).InHost(640)],
    };

    public static VmStateSection<Uart16550Device> Section(Uart16550Device device, uint instanceId = 0) => new("serial", instanceId, Description, device);

    private static VmStateDescription<Uart16550Device> Optional(string name, Func<Uart16550Device, bool> needed, params VmStateField<Uart16550Device>[] fields) =>
        new(name, 1, 1) { Needed = needed, Fields = fields };

    private static bool NeedsThrIpending(Uart16550State state) => (state.Ier & InterruptEnable.TransmitterEmpty) != 0
        && (state.ThrIpending != 0) != ((state.Iir & InterruptId.Mask) == InterruptId.TransmitterEmpty);

    /// <summary>What a stream leaves out has these values.</summary>
    private static void Clear(Uart16550State state)
    {
        state.ThrIpending = -1;
        state.TsrRetry = 0;
        state.RecvFifo.Clear();
        state.XmitFifo.Clear();
        state.FifoTimeoutTimer = -1;
        state.TimeoutIpending = 0;
        state.Fcr = 0;
    }
}
