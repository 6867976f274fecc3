using Godwit.Devices;
using Godwit.Devices.Aclint;
using Godwit.Devices.Character;
using Godwit.Devices.Clock;
using Godwit.Devices.FwCfg;
using Godwit.Devices.GoldfishRtc;
using Godwit.Devices.Gpex;
using Godwit.Devices.PflashCfi01;
using Godwit.Devices.Plic;
using Godwit.Devices.SifiveTest;
using Godwit.Devices.Uart16550;
using Godwit.Devices.VirtioMmio;
using Godwit.Machine.Cpu;
using Godwit.Machine.Cpu.Saved;
using Godwit.Memory;
using Godwit.Migration;

namespace Godwit.Machine.Virt;

/// <summary>The parts of the board, where they are and what is wired to what (QEMU: <c>hw/riscv/virt.c</c>).</summary>
internal sealed class VirtBoard : IDisposable
{
    private readonly List<IResettable> _devices = [];
    private readonly List<RamBlock> _blocks = [];
    private readonly ICharacterBackend? _serial;
    private readonly AclintMtimerDevice _mtimer;
    private readonly AclintSwiDevice _swi;
    private readonly PlicDevice _plic;
    private readonly FwCfgDevice _fwCfg;
    private readonly GpexHost _pcie;
    private readonly Uart16550Device _uart;
    private readonly PflashCfi01Device[] _flash;
    private readonly GoldfishRtcDevice _rtc;

    /// <param name="pc">The reset vector.</param>
    /// <param name="uuid">The machine's.</param>
    public VirtBoard(CpuModel cpu, int hartCount, RamBlock ram, Func<Lock, ICharacterBackend>? serial, Action<PowerEvent> power, ulong pc, Guid uuid)
    {
        Clock = new VirtualClock(Memory.DeviceLock);
        AddRam(ram, MemoryMap.RamBase);
        AddRam(RamBlock.Create(MemoryMap.Mrom.Name, MemoryMap.Mrom.Size), MemoryMap.Mrom.Base, readOnly: true);

        var time = new AclintTime();
        Harts = [.. Enumerable.Range(0, hartCount).Select(id => new Hart(id, cpu, Memory, time, Clock))];
        (_swi, _mtimer) = AddAclint(time);
        _plic = AddPlic();
        Add(MemoryMap.Test.Base, SifiveTestDevice.RegionSize, new SifiveTestDevice(power));
        _rtc = Add(MemoryMap.Rtc.Base, GoldfishRtcDevice.RegionSize, new GoldfishRtcDevice(_plic.Inputs[(int)MemoryMap.RtcInterrupt], Clock));
        for (var n = 0; n < MemoryMap.VirtioCount; n++)
            Add(MemoryMap.VirtioDevice(n).Base, VirtioMmioDevice.RegionSize, new VirtioMmioDevice());
        _fwCfg = AddFwCfg(uuid);
        _flash = [AddFlash(MemoryMap.Flash0), AddFlash(MemoryMap.Flash1)];
        _pcie = AddPcie(ram.Length);
        foreach (var (name, size) in MemoryMap.AcpiBlocks)
            _blocks.Add(RamBlock.Create(name, size));
        // QEMU lists its blocks by size, equal ones as they were made.
        Blocks = [.. _blocks.OrderByDescending(b => b.Length)];
        Reset(pc);
        try
        {
            // Behind the reset, which would drop input that is there already.
            _serial = serial?.Invoke(Memory.DeviceLock) ?? new NullBackend();
            _uart = AddSerial(_serial);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public AddressSpace Memory { get; } = new();

    public VirtualClock Clock { get; }

    public IReadOnlyList<Hart> Harts { get; }

    /// <summary>All blocks of RAM and ROM, by the names and in the order of the migration stream.</summary>
    public IReadOnlyList<RamBlock> Blocks { get; }

    /// <summary>Devices and harts as after power-on; RAM keeps what it holds. The harts must stand.</summary>
    /// <param name="pc">The reset vector.</param>
    public void Reset(ulong pc)
    {
        lock (Memory.DeviceLock)
        {
            foreach (var device in _devices)
                device.Reset();
            foreach (var hart in Harts)
                hart.Reset(pc);
        }
    }

    /// <summary>The sections of the migration stream, in QEMU's order.</summary>
    public IReadOnlyList<IDeviceSection> CreateSections(GlobalState globalState) =>
    [
        new ClockVmState(Clock).Section(),
        .. Harts.SelectMany(hart => HartVmState.Sections(new SavedHart(hart) { SoftwareInterruptLoaded = level => _swi.State.Msip[hart.Id] = level })),
        AclintMtimerVmState.Section(_mtimer),
        PlicVmState.Section(_plic),
        FwCfgVmState.Section(_fwCfg),
        .. GpexVmState.Sections(_pcie),
        Uart16550VmState.Section(_uart),
        GoldfishRtcVmState.Section(_rtc),
        .. _flash.Select((flash, n) => PflashCfi01VmState.Section(flash, (uint)n)),
        globalState.AcpiSection(),
        globalState.Section(),
    ];

    /// <summary>Lets time go on. The harts still stand.</summary>
    public void StartClock()
    {
        Clock.Start();
        lock (Memory.DeviceLock)
            _rtc.AfterPause();
    }

    public void Dispose()
    {
        Clock.Dispose();
        _serial?.Dispose();
        foreach (var hart in Harts)
            hart.Dispose();
        foreach (var block in _blocks)
            block.Dispose();
    }

    private void AddRam(RamBlock block, ulong start, bool readOnly = false)
    {
        Memory.MapRam(start, block, 0, block.Length, readOnly);
        _blocks.Add(block);
    }

    private T Add<T>(ulong start, ulong length, T device)
        where T : IMmioDevice, IResettable
    {
        Memory.MapDevice(start, length, device);
        _devices.Add(device);
        return device;
    }

    private (AclintSwiDevice Swi, AclintMtimerDevice Mtimer) AddAclint(AclintTime time)
    {
        var clint = MemoryMap.Clint.Base;
        var swi = Add(clint, AclintSwiDevice.RegionSize, new AclintSwiDevice([.. Harts.Select(h => h.MachineSoftware)]));
        var mtimer = new AclintMtimerDevice(Clock, [.. Harts.Select(h => h.MachineTimer)]);
        Add(clint + AclintSwiDevice.RegionSize, AclintMtimerDevice.RegionSize, mtimer);
        time.Device = mtimer;
        mtimer.TimeChanged = () =>
        {
            foreach (var hart in Harts)
                hart.TimeChanged();
        };
        return (swi, mtimer);
    }

    private PlicDevice AddPlic()
    {
        // Each hart has a context for machine mode and one for supervisor mode.
        var plic = new PlicDevice([.. Harts.SelectMany(h => new[] { h.MachineExternal, h.SupervisorExternal })]);
        return Add(MemoryMap.Plic.Base, PlicDevice.RegionSize, plic);
    }

    private FwCfgDevice AddFwCfg(Guid uuid)
    {
        var fwCfg = Add(MemoryMap.FwCfg.Base, FwCfgDevice.RegionSize, new FwCfgDevice(Memory, Harts.Count, uuid));
        fwCfg.State.TableMrSize = MemoryMap.AcpiBlocks[0].Size;
        fwCfg.State.LinkerMrSize = MemoryMap.AcpiLoaderLength;
        fwCfg.State.RsdpMrSize = MemoryMap.AcpiRsdpLength;
        return fwCfg;
    }

    private Uart16550Device AddSerial(ICharacterBackend backend)
    {
        var uart = new Uart16550Device(_plic.Inputs[(int)MemoryMap.UartInterrupt], Clock, backend);
        return Add(MemoryMap.Uart0.Base, Uart16550Device.RegionSize, uart);
    }

    private PflashCfi01Device AddFlash(MemoryMapEntry bank)
    {
        var storage = RamBlock.Create(bank.Name, bank.Size);
        _blocks.Add(storage);
        return Add(bank.Base, PflashCfi01Device.RegionSize, new PflashCfi01Device(storage));
    }

    private GpexHost AddPcie(ulong memorySize)
    {
        var first = (int)MemoryMap.FirstPcieInterrupt;
        var host = new GpexHost([.. Enumerable.Range(first, GpexHost.Lines).Select(n => _plic.Inputs[n])]);
        Add(MemoryMap.PcieEcam.Base, GpexHost.EcamSize, host);
        Memory.MapDevice(MemoryMap.PciePio.Base, GpexHost.IoSize, host.Io);
        Memory.MapDevice(MemoryMap.PcieMmio.Base, MemoryMap.PcieMmio.Size, host.CreateMemoryWindow(MemoryMap.PcieMmio.Base));
        var high = MemoryMap.HighPcieMmio(memorySize);
        Memory.MapDevice(high.Base, high.Size, host.CreateMemoryWindow(high.Base));
        return host;
    }
}
