namespace Godwit.Devices.Uart16550;

/// <summary>What a migration carries of a serial port (QEMU: <c>serial</c>, version 3, with its subsections; <c>hw/char/serial.c</c>).</summary>
public sealed class Uart16550State
{
    /// <summary>Of the baud base, by two registers.</summary>
    public ushort Divider { get; set; }

    /// <summary>Receiver buffer, when the FIFOs are off.</summary>
    public byte Rbr { get; set; }

    /// <summary>Interrupt enable.</summary>
    public byte Ier { get; set; }

    /// <summary>Interrupt identification.</summary>
    public byte Iir { get; set; }

    /// <summary>Line control.</summary>
    public byte Lcr { get; set; }

    /// <summary>Modem control.</summary>
    public byte Mcr { get; set; }

    /// <summary>Line status.</summary>
    public byte Lsr { get; set; }

    /// <summary>Modem status.</summary>
    public byte Msr { get; set; }

    /// <summary>Scratch.</summary>
    public byte Scr { get; set; }

    /// <summary>FIFO control (QEMU: <c>fcr_vmstate</c>).</summary>
    public byte Fcr { get; set; }

    /// <summary>The transmitter holding register's interrupt is pending (<c>serial/thr_ipending</c>); -1 from a stream without it.</summary>
    public int ThrIpending { get; set; }

    /// <summary>How often the byte in <see cref="Tsr"/> has been tried (<c>serial/tsr</c>). Other than 0 only in what comes from QEMU.</summary>
    public uint TsrRetry { get; set; }

    /// <summary>Transmitter holding register.</summary>
    public byte Thr { get; set; }

    /// <summary>Transmitter shift register.</summary>
    public byte Tsr { get; set; }

    /// <summary><c>serial/recv_fifo</c>.</summary>
    public Fifo8 RecvFifo { get; } = new();

    /// <summary><c>serial/xmit_fifo</c>.</summary>
    public Fifo8 XmitFifo { get; } = new();

    /// <summary>When the timeout of the receive FIFO comes, in nanoseconds of the virtual clock; -1 when it isn't set
    /// (<c>serial/fifo_timeout_timer</c>).</summary>
    public long FifoTimeoutTimer { get; set; } = -1;

    /// <summary>The timeout's interrupt is pending (<c>serial/timeout_ipending</c>).</summary>
    public int TimeoutIpending { get; set; }
}
