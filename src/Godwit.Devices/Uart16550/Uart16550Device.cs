using Godwit.Devices.Character;
using Godwit.Devices.Clock;
using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.Uart16550;

/// <summary>A serial port with FIFOs, registers a byte apart (QEMU: <c>serial-mm</c>, <c>hw/char/serial.c</c>).
/// What the guest writes goes to the backend at once, so the transmitter is busy between two accesses only while the other side is full.</summary>
public sealed class Uart16550Device : IMmioDevice, IResettable, ICharacterFrontend
{
    /// <summary>The range's length in bytes.</summary>
    public const ulong RegionSize = 8;

    private const float NanosecondsPerSecond = 1_000_000_000;

    // QEMU's for a divider of 0, and what it takes for granted until the guest sets one.
    private const float SpeedWithoutDivider = 3500;
    private const long TransmitTimeAtReset = 1_000_000_000 / 9600 * 10;

    // How long the other side is left alone when it is full: twice as long at each try. QEMU counts no more tries than these.
    private const long RetransmitTime = 100_000;
    private const uint MaxRetries = 4;

    private readonly InterruptLine _line;
    private readonly VirtualClock _clock;
    private readonly ICharacterBackend _backend;
    private readonly float _baudBase;
    private readonly ClockTimer _fifoTimeout;
    private readonly ClockTimer _retransmit;
    private readonly bool _attached;
    private long _characterTime;

    /// <param name="baudBase">The clock's rate by 16, in hertz; on the <c>virt</c> board 399193.</param>
    public Uart16550Device(InterruptLine line, VirtualClock clock, ICharacterBackend backend, int baudBase = 399_193)
    {
        _line = line;
        _clock = clock;
        _backend = backend;
        _baudBase = baudBase;
        _fifoTimeout = clock.CreateTimer(FifoTimedOut);
        _retransmit = clock.CreateTimer(Transmit);
        Reset();
        backend.Attach(this);
        _attached = true;
    }

    public string Name => "serial";

    // One register an access, whatever its size.
    public AccessSizes Sizes => new(1, 8, 1, 8);

    public Uart16550State State { get; } = new();

    public int CanReceive
    {
        get
        {
            if (!FifosEnabled)
                return Has(State.Lsr, LineStatus.DataReady) ? 0 : 1;
            if (State.RecvFifo.IsFull)
                return 0;
            // Up to the trigger level, so that the guest gets to read before the FIFO is full.
            var missing = TriggerLevel - (int)State.RecvFifo.Num;
            return missing >= 0 ? missing : 1;
        }
    }

    private bool FifosEnabled => Has(State.Fcr, FifoControl.Enable);

    private bool IsDivisorLatchOpen => Has(State.Lcr, LineControl.DivisorLatch);

    private int TriggerLevel => (State.Fcr & FifoControl.Trigger) switch { 0 => 1, 0x40 => 4, 0x80 => 8, _ => 14 };

    public ulong Read(ulong offset, int size)
    {
        switch ((Register)offset)
        {
            case Register.Data:
                return IsDivisorLatchOpen ? (byte)State.Divider : ReadData();
            case Register.InterruptEnable:
                return IsDivisorLatchOpen ? (byte)(State.Divider >> 8) : State.Ier;
            case Register.InterruptIdOrFifoControl:
                return ReadInterruptId();
            case Register.LineControl:
                return State.Lcr;
            case Register.ModemControl:
                return State.Mcr;
            case Register.LineStatus:
                return ReadLineStatus();
            case Register.ModemStatus:
                return ReadModemStatus();
            default:
                return State.Scr;
        }
    }

    public void Write(ulong offset, int size, ulong value)
    {
        var bits = (byte)value;
        switch ((Register)offset)
        {
            case Register.Data when IsDivisorLatchOpen:
                State.Divider = (ushort)((State.Divider & 0xff00) | bits);
                UpdateCharacterTime();
                break;
            case Register.Data:
                WriteData(bits);
                break;
            case Register.InterruptEnable when IsDivisorLatchOpen:
                State.Divider = (ushort)((State.Divider & 0xff) | (bits << 8));
                UpdateCharacterTime();
                break;
            case Register.InterruptEnable:
                WriteInterruptEnable(bits);
                break;
            case Register.InterruptIdOrFifoControl:
                WriteFifoControl(bits);
                break;
            case Register.LineControl:
                State.Lcr = bits;
                UpdateCharacterTime();
                break;
            case Register.ModemControl:
                State.Mcr = (byte)(bits & ModemControl.Mask);
                OfferRoom();
                break;
            case Register.Scratch:
                State.Scr = bits;
                break;
        }
    }

    public void Receive(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        if (FifosEnabled)
        {
            foreach (var b in bytes)
                PutReceived(b);
            State.Lsr |= LineStatus.DataReady;
            StartFifoTimeout();
        }
        else
        {
            if (Has(State.Lsr, LineStatus.DataReady))
                State.Lsr |= LineStatus.Overrun;
            State.Rbr = bytes[0];
            State.Lsr |= LineStatus.DataReady;
        }

        UpdateInterrupt();
    }

    public void ReceiveBreak()
    {
        State.Rbr = 0;
        PutReceived(0);
        State.Lsr |= LineStatus.Break | LineStatus.DataReady;
        UpdateInterrupt();
    }

    public void Reset()
    {
        // The FIFO control register stays, as in QEMU.
        State.Rbr = State.Ier = State.Lcr = State.Scr = 0;
        State.Iir = InterruptId.None;
        State.Lsr = LineStatus.TransmitterEmpty | LineStatus.HoldingEmpty;
        State.Msr = ModemStatus.CarrierDetect | ModemStatus.DataSetReady | ModemStatus.ClearToSend;
        State.Divider = 12;
        State.Mcr = ModemControl.Out2;
        State.TsrRetry = 0;
        State.ThrIpending = State.TimeoutIpending = 0;
        State.RecvFifo.Clear();
        State.XmitFifo.Clear();
        _characterTime = TransmitTimeAtReset;
        _fifoTimeout.Cancel();
        _retransmit.Cancel();
        _line.Lower();
        OfferRoom();
    }

    /// <summary>Fills <see cref="Uart16550State.FifoTimeoutTimer"/>.</summary>
    public void BeforeSave() => State.FifoTimeoutTimer = _fifoTimeout.IsSet ? _fifoTimeout.Deadline : -1;

    /// <summary>Goes on from <see cref="State"/>. The line's level comes with the interrupt controller.</summary>
    /// <exception cref="InvalidDataException">The state can't be a serial port's.</exception>
    public void AfterLoad()
    {
        if (!State.RecvFifo.IsSound || !State.XmitFifo.IsSound)
            throw new InvalidDataException("serial: a FIFO is fuller than it can be");
        if (State.TsrRetry > 0 == Has(State.Lsr, LineStatus.TransmitterEmpty))
            throw new InvalidDataException($"serial: line status {State.Lsr:x2} with {State.TsrRetry} transmit retries");
        if (State.ThrIpending < 0)
            State.ThrIpending = (State.Iir & InterruptId.Mask) == InterruptId.TransmitterEmpty ? 1 : 0;
        SetFifosEnabled();
        UpdateCharacterTime();
        if (State.FifoTimeoutTimer >= 0)
            _fifoTimeout.Set(State.FifoTimeoutTimer);
        else
            _fifoTimeout.Cancel();
        // What the other side couldn't write yet; a machine that never runs here writes nothing.
        if (State.TsrRetry > 0)
            _retransmit.Set(_clock.Now);
        else
            _retransmit.Cancel();
    }

    private static bool Has(byte register, byte bit) => (register & bit) != 0;

    private byte ReadData()
    {
        byte value;
        if (FifosEnabled)
        {
            value = State.RecvFifo.IsEmpty ? (byte)0 : State.RecvFifo.Pop();
            if (State.RecvFifo.IsEmpty)
                State.Lsr &= unchecked((byte)~(LineStatus.DataReady | LineStatus.Break));
            else
                StartFifoTimeout();
            State.TimeoutIpending = 0;
        }
        else
        {
            value = State.Rbr;
            State.Lsr &= unchecked((byte)~(LineStatus.DataReady | LineStatus.Break));
        }

        UpdateInterrupt();
        OfferRoom();
        return value;
    }

    private void OfferRoom()
    {
        if (_attached && !Has(State.Mcr, ModemControl.Loop) && CanReceive > 0)
            _backend.AcceptInput();
    }

    private byte ReadInterruptId()
    {
        var value = State.Iir;
        if ((value & InterruptId.Mask) == InterruptId.TransmitterEmpty)
        {
            State.ThrIpending = 0;
            UpdateInterrupt();
        }

        return value;
    }

    private byte ReadLineStatus()
    {
        var value = State.Lsr;
        if (Has(value, LineStatus.Break | LineStatus.Overrun))
        {
            State.Lsr &= unchecked((byte)~(LineStatus.Break | LineStatus.Overrun));
            UpdateInterrupt();
        }

        return value;
    }

    private byte ReadModemStatus()
    {
        // Looped back: OUT2 is DCD, OUT1 is RI, RTS is CTS and DTR is DSR.
        if (Has(State.Mcr, ModemControl.Loop))
            return (byte)(((State.Mcr & (ModemControl.Out1 | ModemControl.Out2)) << 4) | ((State.Mcr & ModemControl.Rts) << 3) | ((State.Mcr & ModemControl.Dtr) << 5));
        var value = State.Msr;
        if (Has(value, ModemStatus.Deltas))
        {
            State.Msr &= unchecked((byte)~ModemStatus.Deltas);
            UpdateInterrupt();
        }

        return value;
    }

    private void WriteData(byte value)
    {
        State.Thr = value;
        if (FifosEnabled)
        {
            if (State.XmitFifo.IsFull)
                State.XmitFifo.Pop();
            State.XmitFifo.Push(value);
        }

        State.ThrIpending = 0;
        State.Lsr &= unchecked((byte)~(LineStatus.HoldingEmpty | LineStatus.TransmitterEmpty));
        UpdateInterrupt();
        if (State.TsrRetry == 0)
            Transmit();
    }

    private void WriteInterruptEnable(byte value)
    {
        var changed = (byte)((State.Ier ^ value) & InterruptEnable.Mask);
        State.Ier = (byte)(value & InterruptEnable.Mask);
        // Enabling it interrupts though its cause was there before; Windows relies on it, QEMU says.
        if (Has(changed, InterruptEnable.TransmitterEmpty))
            State.ThrIpending = Has(State.Ier, InterruptEnable.TransmitterEmpty) && Has(State.Lsr, LineStatus.HoldingEmpty) ? 1 : 0;
        if (changed != 0)
            UpdateInterrupt();
    }

    private void WriteFifoControl(byte value)
    {
        if (Has((byte)(value ^ State.Fcr), FifoControl.Enable))
            value |= FifoControl.ClearTransmit | FifoControl.ClearReceive;
        if (Has(value, FifoControl.ClearReceive))
        {
            State.Lsr &= unchecked((byte)~(LineStatus.DataReady | LineStatus.Break));
            _fifoTimeout.Cancel();
            State.TimeoutIpending = 0;
            State.RecvFifo.Clear();
        }

        if (Has(value, FifoControl.ClearTransmit))
        {
            State.Lsr |= LineStatus.HoldingEmpty;
            State.ThrIpending = 1;
            State.XmitFifo.Clear();
        }

        State.Fcr = (byte)(value & FifoControl.Kept);
        SetFifosEnabled();
        UpdateInterrupt();
        OfferRoom();
    }

    private void SetFifosEnabled()
    {
        if (FifosEnabled)
            State.Iir |= InterruptId.FifosEnabled;
        else
            State.Iir &= unchecked((byte)~InterruptId.FifosEnabled);
    }

    private void Transmit()
    {
        do
        {
            if (State.TsrRetry == 0)
                ToShiftRegister();
            ReadOnlySpan<byte> bytes = [State.Tsr];
            if (Has(State.Mcr, ModemControl.Loop))
            {
                Receive(bytes);
            }
            else if (_backend.CanWrite)
            {
                _backend.Write(bytes);
            }
            else
            {
                var retries = Math.Min(State.TsrRetry, MaxRetries);
                _retransmit.Set(_clock.Now + (RetransmitTime << (int)retries));
                State.TsrRetry = Math.Min(retries + 1, MaxRetries);
                return;
            }

            State.TsrRetry = 0;
        }
        while (!Has(State.Lsr, LineStatus.HoldingEmpty) && !(FifosEnabled && State.XmitFifo.IsEmpty));

        State.Lsr |= LineStatus.TransmitterEmpty;
    }

    private void ToShiftRegister()
    {
        if (FifosEnabled)
        {
            State.Tsr = State.XmitFifo.Pop();
            if (State.XmitFifo.IsEmpty)
                State.Lsr |= LineStatus.HoldingEmpty;
        }
        else
        {
            State.Tsr = State.Thr;
            State.Lsr |= LineStatus.HoldingEmpty;
        }

        if (Has(State.Lsr, LineStatus.HoldingEmpty) && State.ThrIpending == 0)
        {
            State.ThrIpending = 1;
            UpdateInterrupt();
        }
    }

    private void PutReceived(byte value)
    {
        if (State.RecvFifo.IsFull)
            State.Lsr |= LineStatus.Overrun;
        else
            State.RecvFifo.Push(value);
    }

    private void FifoTimedOut()
    {
        if (State.RecvFifo.IsEmpty)
            return;
        State.TimeoutIpending = 1;
        UpdateInterrupt();
    }

    private void StartFifoTimeout() => _fifoTimeout.Set(_clock.Now + _characterTime * 4);

    private void UpdateCharacterTime()
    {
        var frame = 1 + (Has(State.Lcr, LineControl.Parity) ? 1 : 0) + (State.Lcr & LineControl.WordLength) + 5 + (Has(State.Lcr, LineControl.StopBits) ? 2 : 1);
        var speed = State.Divider == 0 ? SpeedWithoutDivider : _baudBase / State.Divider;
        _characterTime = (long)(NanosecondsPerSecond / speed * frame);
    }

    private void UpdateInterrupt()
    {
        var id = InterruptId.None;
        if (Has(State.Ier, InterruptEnable.LineStatus) && Has(State.Lsr, LineStatus.Interrupting))
            id = InterruptId.LineStatus;
        else if (Has(State.Ier, InterruptEnable.ReceivedData) && State.TimeoutIpending != 0)
            id = InterruptId.CharacterTimeout;
        else if (Has(State.Ier, InterruptEnable.ReceivedData) && Has(State.Lsr, LineStatus.DataReady) && (!FifosEnabled || State.RecvFifo.Num >= TriggerLevel))
            id = InterruptId.ReceivedData;
        else if (Has(State.Ier, InterruptEnable.TransmitterEmpty) && State.ThrIpending != 0)
            id = InterruptId.TransmitterEmpty;
        else if (Has(State.Ier, InterruptEnable.ModemStatus) && Has(State.Msr, ModemStatus.Deltas))
            id = InterruptId.ModemStatus;

        State.Iir = (byte)(id | (State.Iir & InterruptId.High));
        _line.Set(id != InterruptId.None);
    }
}
