using System.Net.Sockets;
using Godwit.Devices.Character;
using Godwit.Devices.Tests.Qtest;
using Godwit.Testing;

namespace Godwit.Devices.Tests;

public sealed class UartTests
{
    private const ulong Uart = VirtDevices.UartBase, Data = Uart, InterruptEnable = Uart + 1, InterruptId = Uart + 2, FifoControl = Uart + 2, LineControl = Uart + 3,
        ModemControl = Uart + 4, LineStatus = Uart + 5, ModemStatus = Uart + 6, Scratch = Uart + 7;

    private const ulong PlicPending = VirtDevices.PlicBase + 0x1000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_accesses_read_as_in_QEMU(int seed)
    {
        using var both = new SideBySide(null, "-serial", "null");

        both.Play(seed, 3000, Uart, [0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 7], [1, 1, 1, 2, 4, 8], maxStep: 400_000);
    }

    /// <summary>Looped back, what is sent is received: FIFOs, their trigger level, their timeout, overruns and all interrupts.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Random_loopback_traffic_reads_as_in_QEMU(int seed)
    {
        using var both = new SideBySide(null, "-serial", "null");
        var random = new Random(seed);
        // A claim shows what the line did since the last one.
        both.Write(VirtDevices.PlicBase + 4 * VirtDevices.UartSource, 4, 1);
        both.Write(VirtDevices.PlicBase + 0x2000, 4, 1 << VirtDevices.UartSource);
        both.Write(ModemControl, 1, 0x1b);
        for (var i = 0; i < 1500; i++)
        {
            switch (random.Next(12))
            {
                case 0:
                    both.Write(FifoControl, 1, (ulong)random.Next(256));
                    break;
                case 1:
                    both.Write(InterruptEnable, 1, (ulong)random.Next(16));
                    break;
                case 2:
                    both.Write(LineControl, 1, (ulong)random.Next(128));
                    break;
                case 3:
                    both.Step(random.Next(1, 3_000_000));
                    break;
                case 4:
                    both.Read(LineStatus, 1);
                    break;
                case 5:
                    both.Read(InterruptId, 1);
                    break;
                case 6 or 7:
                    both.Read(Data, 1);
                    break;
                case 8:
                    both.Read(PlicPending, 4);
                    var source = both.Read(VirtDevices.PlicBase + 0x200004, 4);
                    both.Write(VirtDevices.PlicBase + 0x200004, 4, source);
                    break;
                default:
                    both.Write(Data, 1, (ulong)random.Next(256));
                    break;
            }
        }
    }

    [Fact]
    public void A_driver_that_probes_finds_what_QEMU_shows()
    {
        using var both = new SideBySide(null, "-serial", "null");
        // What Linux's 8250 driver does to tell a 16550A.
        both.Write(InterruptEnable, 1, 0);
        both.Read(InterruptEnable, 1);
        both.Write(InterruptEnable, 1, 0x0f);
        both.Read(InterruptEnable, 1);
        both.Write(InterruptEnable, 1, 0);
        both.Write(ModemControl, 1, 0x1a);
        Assert.Equal(0x90u, both.Read(ModemStatus, 1));
        both.Write(ModemControl, 1, 8);
        both.Write(LineControl, 1, 0xbf);
        both.Write(FifoControl, 1, 0);
        both.Write(LineControl, 1, 0);
        both.Write(FifoControl, 1, 1);
        Assert.Equal(0xc1u, both.Read(InterruptId, 1));
        both.Write(LineControl, 1, 0x83);
        both.Write(Data, 1, 0x0d);
        both.Write(InterruptEnable, 1, 0);
        both.Read(Data, 1);
        both.Read(InterruptEnable, 1);
        both.Write(LineControl, 1, 0x13);
        both.Write(Scratch, 1, 0x5a);
        both.Read(Scratch, 1);
        both.Read(LineStatus, 1);
        both.Read(ModemStatus, 1);
        both.Write(InterruptEnable, 1, 2);
        Assert.Equal(0xc2u, both.Read(InterruptId, 1));
        Assert.Equal(0xc1u, both.Read(InterruptId, 1));
        both.Write(Data, 1, 'x');
        Assert.Equal(0xc2u, both.Read(InterruptId, 1));
        both.Read(PlicPending, 4);
    }

    [Theory]
    [InlineData(0x00, 1)]
    [InlineData(0x01, 1)]
    [InlineData(0x81, 8)]
    [InlineData(0xc1, 14)]
    public void Input_fills_the_FIFO_as_far_as_in_QEMU(int fifoControl, int atOnce)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("serial");
        var backend = new Peer();
        using var both = new SideBySide(backend, "-chardev", $"socket,id=c,path={path},server=on,wait=off", "-serial", "chardev:c");
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // QEMU listens once it answers.
        both.Read(LineStatus, 1);
        client.Connect(new UnixDomainSocketEndPoint(path));
        both.Write(FifoControl, 1, (ulong)fifoControl);
        both.Write(InterruptEnable, 1, 5);

        var text = "The quick brown fox jumps over the lazy dog."u8.ToArray();
        client.Send(text);
        lock (both.Ours.Memory.DeviceLock)
            backend.Offer(text);
        Assert.Equal(atOnce, text.Length - backend.Left);
        // Each byte when QEMU has it; ours has it at once.
        foreach (var b in text)
        {
            while ((both.Qemu.Read(LineStatus, 1) & 1) == 0)
                Thread.Yield();
            Assert.Equal(b, (byte)both.Read(Data, 1));
        }

        Assert.Equal(0x60u, both.Read(LineStatus, 1));
        both.Step(10_000_000);
        both.Read(InterruptId, 1);
    }

    [Fact]
    public void Output_reaches_the_backend_before_the_access_ends()
    {
        var backend = new Peer();
        using var ours = new VirtDevices(backend);

        foreach (var b in "hello"u8)
            ours.Write(Data, 1, b);

        Assert.Equal("hello"u8.ToArray(), backend.Written);
        Assert.Equal(0x60u, ours.Read(LineStatus, 1));
    }

    [Fact]
    public void A_break_is_told_and_interrupts()
    {
        using var ours = new VirtDevices(new Peer());
        ours.Write(InterruptEnable, 1, 4);

        ours.Uart.ReceiveBreak();

        Assert.Equal(6u, ours.Read(InterruptId, 1));
        Assert.Equal(0x71u, ours.Read(LineStatus, 1));
        Assert.Equal(1u, ours.Read(InterruptId, 1));
    }

    /// <summary>QEMU's backend may have been full: a byte is in the shift register, others in the FIFO.</summary>
    [Fact]
    public void What_the_other_side_could_not_write_is_written_when_the_loaded_machine_runs()
    {
        var backend = new Peer();
        using var ours = new VirtDevices(backend);
        var state = ours.Uart.State;
        state.Fcr = 1;
        state.Lsr = 0;
        state.TsrRetry = 2;
        state.Tsr = (byte)'a';
        state.XmitFifo.Push((byte)'b');
        state.XmitFifo.Push((byte)'c');

        ours.Uart.AfterLoad();
        Assert.Empty(backend.Written);
        ours.Clock.Step(0);

        Assert.Equal("abc"u8.ToArray(), backend.Written);
        Assert.Equal(0x60u, ours.Read(LineStatus, 1));
        Assert.Equal(0xc1u, ours.Read(InterruptId, 1));
    }

    [Fact]
    public void A_state_that_no_serial_port_has_is_refused()
    {
        using var ours = new VirtDevices();
        ours.Uart.State.RecvFifo.Num = 17;
        Assert.Throws<InvalidDataException>(ours.Uart.AfterLoad);
        ours.Uart.State.RecvFifo.Num = 0;
        ours.Uart.State.TsrRetry = 1;
        Assert.Throws<InvalidDataException>(ours.Uart.AfterLoad);
    }

    [Fact]
    public void What_the_other_side_has_no_room_for_waits_in_the_shift_register_and_the_FIFO()
    {
        var peer = new Peer { IsFull = true };
        using var ours = new VirtDevices(peer);
        ours.Uart.Write(2, 1, 1);

        for (var n = 0; n < 5; n++)
            ours.Uart.Write(0, 1, (ulong)('a' + n));

        Assert.Empty(peer.Written);
        Assert.Equal(0UL, ours.Uart.Read(5, 1) & 0x60);
        peer.Drain();
        Assert.Equal("abcde"u8.ToArray(), peer.Written);
        Assert.Equal(0x60UL, ours.Uart.Read(5, 1) & 0x60);
    }

    /// <summary>A backend that a test holds in its hands.</summary>
    private sealed class Peer : ICharacterBackend
    {
        private readonly Queue<byte> _input = new();
        private ICharacterFrontend? _frontend;

        public List<byte> Written { get; } = [];

        public int Left => _input.Count;

        public bool IsFull { get; set; }

        public bool TryWrite(ReadOnlySpan<byte> bytes)
        {
            if (!IsFull)
                Written.AddRange(bytes);
            return !IsFull;
        }

        public void Drain()
        {
            IsFull = false;
            _frontend!.WriteReady();
        }

        public void Attach(ICharacterFrontend frontend) => _frontend = frontend;

        public void Offer(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
                _input.Enqueue(b);
            AcceptInput();
        }

        public void AcceptInput()
        {
            while (_input.Count > 0 && _frontend!.CanReceive > 0)
            {
                var bytes = new byte[Math.Min(_input.Count, _frontend.CanReceive)];
                for (var i = 0; i < bytes.Length; i++)
                    bytes[i] = _input.Dequeue();
                _frontend.Receive(bytes);
            }
        }

        public void Dispose()
        {
        }
    }
}
