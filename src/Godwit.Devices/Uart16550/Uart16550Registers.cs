namespace Godwit.Devices.Uart16550;

/// <summary>The registers' offsets. With <see cref="LineControl.DivisorLatch"/> the first two are the divisor.</summary>
internal enum Register
{
    Data = 0,
    InterruptEnable = 1,
    InterruptIdOrFifoControl = 2,
    LineControl = 3,
    ModemControl = 4,
    LineStatus = 5,
    ModemStatus = 6,
    Scratch = 7,
}

internal static class InterruptEnable
{
    public const byte ReceivedData = 1, TransmitterEmpty = 2, LineStatus = 4, ModemStatus = 8, Mask = 0x0f;
}

internal static class InterruptId
{
    public const byte ModemStatus = 0, None = 1, TransmitterEmpty = 2, ReceivedData = 4, LineStatus = 6, CharacterTimeout = 0x0c;
    public const byte Mask = 6, High = 0xf0, FifosEnabled = 0xc0;
}

internal static class FifoControl
{
    public const byte Enable = 1, ClearReceive = 2, ClearTransmit = 4, Trigger = 0xc0, Kept = 0xc9;
}

internal static class LineControl
{
    public const byte WordLength = 3, StopBits = 4, Parity = 8, DivisorLatch = 0x80;
}

internal static class ModemControl
{
    public const byte Dtr = 1, Rts = 2, Out1 = 4, Out2 = 8, Loop = 0x10, Mask = 0x1f;
}

internal static class LineStatus
{
    public const byte DataReady = 1, Overrun = 2, Break = 0x10, HoldingEmpty = 0x20, TransmitterEmpty = 0x40, Interrupting = 0x1e;
}

internal static class ModemStatus
{
    public const byte ClearToSend = 0x10, DataSetReady = 0x20, CarrierDetect = 0x80, Deltas = 0x0f;
}
