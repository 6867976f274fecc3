using Godwit.Devices.Aclint;
using Godwit.Devices.Character;
using Godwit.Devices.Clock;
using Godwit.Devices.FwCfg;
using Godwit.Devices.GoldfishRtc;
using Godwit.Devices.Gpex;
using Godwit.Devices.Interrupts;
using Godwit.Devices.PflashCfi01;
using Godwit.Devices.Plic;
using Godwit.Devices.SifiveTest;
using Godwit.Devices.Uart16550;
using Godwit.Devices.VirtioMmio;
using Godwit.Memory;

namespace Godwit.Devices.Tests.Qtest;

/// <summary>Our devices where the board of two harts and 64 MiB has them, with a clock that stands.</summary>
public sealed class VirtDevices : IDisposable
{
    public const ulong Swi = 0x200_0000, Mtimer = 0x200_4000, PlicBase = 0xc00_0000, UartBase = 0x1000_0000, RtcBase = 0x10_1000, Test = 0x10_0000,
        VirtioBase = 0x1000_1000, FwCfgBase = 0x1010_0000, FlashBase = 0x2000_0000, Ecam = 0x3000_0000, Pio = 0x300_0000, PciMmio = 0x4000_0000,
        PciHighMmio = 0x4_0000_0000, Ram = 0x8000_0000;

    public const int UartSource = 10, RtcSource = 11, PciSource = 32;

    private readonly List<RamBlock> _blocks = [];

    public VirtDevices(ICharacterBackend? backend = null, int fwCfgHarts = 2)
    {
        Clock = new VirtualClock(Memory.DeviceLock);
        Plic = new PlicDevice([.. Enumerable.Range(0, 4).Select(context => new InterruptLine(level => External[context] = level))]);
        SwiDevice = new AclintSwiDevice([.. Enumerable.Range(0, 2).Select(hart => new InterruptLine(level => Software[hart] = level))]);
        MtimerDevice = new AclintMtimerDevice(Clock, [.. Enumerable.Range(0, 2).Select(hart => new InterruptLine(level => TimerLines[hart] = level))]);
        Uart = new Uart16550Device(Plic.Inputs[UartSource], Clock, backend ?? new NullBackend());
        Rtc = new GoldfishRtcDevice(Plic.Inputs[RtcSource], Clock);
        FwCfg = new FwCfgDevice(Memory, fwCfgHarts);
        Pci = new GpexHost([.. Plic.Inputs.Skip(PciSource).Take(4)]);
        Flash = new PflashCfi01Device(Block("virt.flash0", PflashCfi01Device.RegionSize));
        RamBlock = Block("riscv_virt_board.ram", 64 << 20);

        Memory.MapDevice(Swi, AclintSwiDevice.RegionSize, SwiDevice);
        Memory.MapDevice(Mtimer, AclintMtimerDevice.RegionSize, MtimerDevice);
        Memory.MapDevice(PlicBase, PlicDevice.RegionSize, Plic);
        Memory.MapDevice(UartBase, Uart16550Device.RegionSize, Uart);
        Memory.MapDevice(RtcBase, GoldfishRtcDevice.RegionSize, Rtc);
        Memory.MapDevice(Test, SifiveTestDevice.RegionSize, new SifiveTestDevice(PowerEvents.Add));
        for (var slot = 0u; slot < 8; slot++)
            Memory.MapDevice(VirtioBase + slot * 0x1000, VirtioMmioDevice.RegionSize, new VirtioMmioDevice());
        Memory.MapDevice(FwCfgBase, FwCfgDevice.RegionSize, FwCfg);
        Memory.MapDevice(FlashBase, PflashCfi01Device.RegionSize, Flash);
        Memory.MapDevice(Ecam, GpexHost.EcamSize, Pci);
        Memory.MapDevice(Pio, GpexHost.IoSize, Pci.Io);
        Memory.MapDevice(PciMmio, 0x4000_0000, Pci.CreateMemoryWindow(PciMmio));
        Memory.MapDevice(PciHighMmio, 0x4_0000_0000, Pci.CreateMemoryWindow(PciHighMmio));
        Memory.MapRam(Ram, RamBlock, 0, RamBlock.Length);

        foreach (var device in Resettables)
            device.Reset();
    }

    public AddressSpace Memory { get; } = new();

    public VirtualClock Clock { get; }

    public PlicDevice Plic { get; }

    public AclintSwiDevice SwiDevice { get; }

    public AclintMtimerDevice MtimerDevice { get; }

    public Uart16550Device Uart { get; }

    public GoldfishRtcDevice Rtc { get; }

    public FwCfgDevice FwCfg { get; }

    public GpexHost Pci { get; }

    public PflashCfi01Device Flash { get; }

    public RamBlock RamBlock { get; }

    public List<PowerEvent> PowerEvents { get; } = [];

    /// <summary>Levels at the harts: MEIP and SEIP of hart 0, of hart 1.</summary>
    public bool[] External { get; } = new bool[4];

    public bool[] Software { get; } = new bool[2];

    public bool[] TimerLines { get; } = new bool[2];

    private IEnumerable<IResettable> Resettables => [Plic, SwiDevice, MtimerDevice, Uart, Rtc, FwCfg, Pci, Flash];

    /// <returns>0 when the device doesn't take it, as qtest gives it.</returns>
    public ulong Read(ulong address, int size)
    {
        if (Memory.Find(address) is { Ram: { } ram } region)
        {
            ulong word = 0;
            var bytes = ram.Read(region.RamOffset + (address - region.Start), size);
            for (var i = 0; i < size; i++)
                word |= (ulong)bytes[i] << (8 * i);
            return word;
        }

        return Memory.TryLoadDevice(address, size, out var value) ? value : 0;
    }

    public void Write(ulong address, int size, ulong value) => Memory.TryStoreDevice(address, size, value);

    public void Dispose()
    {
        Clock.Dispose();
        foreach (var block in _blocks)
            block.Dispose();
    }

    private RamBlock Block(string name, ulong length)
    {
        var block = RamBlock.Create(name, length);
        _blocks.Add(block);
        return block;
    }
}
