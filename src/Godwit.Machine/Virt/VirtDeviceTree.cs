using Godwit.Machine.Cpu;
using Godwit.Machine.Virt.DeviceTree;

namespace Godwit.Machine.Virt;

/// <summary>The tree that the board describes itself with: node for node and property for property QEMU's, in QEMU's order.
/// Source: QEMU <c>hw/riscv/virt.c</c> (create_fdt, finalize_fdt), for aia=none, aclint=off, without NUMA and IOMMU.</summary>
public sealed class VirtDeviceTree
{
    private const uint MachineSoftware = 3, MachineTimer = 7, SupervisorExternal = 9, MachineExternal = 11;
    private const int SeedLength = 32;

    private readonly FlattenedDeviceTree _tree = new();
    private readonly CpuModel _cpu;
    private readonly ulong _memorySize;
    private readonly uint[] _hartInterruptControllers;
    private uint _nextPhandle = 1;

    private VirtDeviceTree(CpuModel cpu, int harts, ulong memorySize)
    {
        _cpu = cpu;
        _memorySize = memorySize;
        _hartInterruptControllers = new uint[harts];
    }

    /// <param name="harts">From 1 to <see cref="MemoryMap.MaxHarts"/>.</param>
    /// <param name="memorySize">In bytes.</param>
    /// <returns>The tree, with a seed of zeros: that is filled whenever the machine is reset.</returns>
    public static FlattenedDeviceTree Create(CpuModel cpu, int harts, ulong memorySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(harts, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(harts, MemoryMap.MaxHarts);
        var board = new VirtDeviceTree(cpu, harts, memorySize);
        board.AddAll();
        return board._tree;
    }

    private void AddAll()
    {
        var root = _tree.Root;
        root.SetStrings("model", "riscv-virtio,qemu").SetStrings("compatible", "riscv-virtio").SetCells("#size-cells", 2).SetCells("#address-cells", 2);
        var soc = root.AddChild("soc").SetFlag("ranges").SetStrings("compatible", "simple-bus").SetCells("#size-cells", 2).SetCells("#address-cells", 2);
        var pci = soc.AddChild($"pci@{MemoryMap.PcieEcam.Base:x}");
        var chosen = root.AddChild("chosen").Set("rng-seed", new byte[SeedLength]);
        var aliases = root.AddChild("aliases");
        AddFlash(root);
        AddFwCfg(root);
        AddPmu(root);

        AddHarts(root);
        AddMemory(root);
        AddClint(soc);
        var plic = AddPlic(soc);
        AddPlatformBus(root, plic);
        AddVirtio(soc, plic);
        SetPcie(pci, plic);
        AddReset(root, soc);
        AddSerial(soc, plic, chosen, aliases);
        AddRtc(soc, plic);
    }

    private static void AddFlash(DeviceTreeNode root) => root.AddChild($"flash@{MemoryMap.Flash0.Base:x}")
        .SetStrings("compatible", "cfi-flash")
        .SetCellPairs("reg", MemoryMap.Flash0.Base, MemoryMap.Flash0.Size, MemoryMap.Flash1.Base, MemoryMap.Flash1.Size)
        .SetCells("bank-width", 4);

    private static void AddFwCfg(DeviceTreeNode root) => root.AddChild($"fw-cfg@{MemoryMap.FwCfg.Base:x}")
        .SetStrings("compatible", "qemu,fw-cfg-mmio")
        .SetCellPairs("reg", MemoryMap.FwCfg.Base, MemoryMap.FwCfg.Size)
        .SetFlag("dma-coherent");

    /// <summary>Cycles and instructions have counters of their own; three TLB events may use any of the sixteen from hpmcounter3 on.
    /// Source: QEMU target/riscv/pmu.c.</summary>
    private static void AddPmu(DeviceTreeNode root)
    {
        const uint Programmable = 0x7fff8, DtlbReadMiss = 0x10019, DtlbWriteMiss = 0x1001b, ItlbMiss = 0x10021;
        root.AddChild("pmu")
            .SetStrings("compatible", "riscv,pmu")
            .SetCells("riscv,event-to-mhpmcounters",
                1, 1, Programmable | 1, 2, 2, Programmable | 4,
                DtlbReadMiss, DtlbReadMiss, Programmable, DtlbWriteMiss, DtlbWriteMiss, Programmable, ItlbMiss, ItlbMiss, Programmable);
    }

    private void AddHarts(DeviceTreeNode root)
    {
        var cpus = root.AddChild("cpus").SetCells("timebase-frequency", MemoryMap.TimebaseFrequency).SetCells("#size-cells", 0).SetCells("#address-cells", 1);
        var cluster = cpus.AddChild("cpu-map").AddChild("cluster0");
        for (var hart = _hartInterruptControllers.Length - 1; hart >= 0; hart--)
        {
            var phandle = _nextPhandle++;
            var node = cpus.AddChild($"cpu@{hart}")
                .SetStrings("mmu-type", _cpu.MmuType)
                .SetStrings("riscv,isa", _cpu.Isa)
                .SetStrings("riscv,isa-base", CpuModel.IsaBase)
                .SetStrings("riscv,isa-extensions", [.. _cpu.IsaExtensions]);
            if (_cpu.Has("zicbom"))
                node.SetCells("riscv,cbom-block-size", _cpu.CbomBlockSize);
            if (_cpu.Has("zicboz"))
                node.SetCells("riscv,cboz-block-size", _cpu.CbozBlockSize);
            if (_cpu.Has("zicbop"))
                node.SetCells("riscv,cbop-block-size", _cpu.CbopBlockSize);
            node.SetStrings("compatible", "riscv").SetStrings("status", "okay").SetCells("reg", (uint)hart).SetStrings("device_type", "cpu").SetCells("phandle", phandle);
            _hartInterruptControllers[hart] = _nextPhandle++;
            node.AddChild("interrupt-controller")
                .SetCells("phandle", _hartInterruptControllers[hart])
                .SetStrings("compatible", "riscv,cpu-intc")
                .SetFlag("interrupt-controller")
                .SetCells("#interrupt-cells", 1);
            cluster.AddChild($"core{hart}").SetCells("cpu", phandle);
        }
    }

    private void AddMemory(DeviceTreeNode root) => root.AddChild($"memory@{MemoryMap.RamBase:x}")
        .SetCellPairs("reg", MemoryMap.RamBase, _memorySize)
        .SetStrings("device_type", "memory");

    private void AddClint(DeviceTreeNode soc) => soc.AddChild($"clint@{MemoryMap.Clint.Base:x}")
        .SetStrings("compatible", "sifive,clint0", "riscv,clint0")
        .SetCellPairs("reg", MemoryMap.Clint.Base, MemoryMap.Clint.Size)
        .SetCells("interrupts-extended", EachHart(MachineSoftware, MachineTimer));

    private uint AddPlic(DeviceTreeNode soc)
    {
        var phandle = _nextPhandle++;
        soc.AddChild($"interrupt-controller@{MemoryMap.Plic.Base:x}")
            .SetCells("#interrupt-cells", 1)
            .SetCells("#address-cells", 0)
            .SetStrings("compatible", "sifive,plic-1.0.0", "riscv,plic0")
            .SetFlag("interrupt-controller")
            .SetCells("interrupts-extended", EachHart(MachineExternal, SupervisorExternal))
            .SetCellPairs("reg", MemoryMap.Plic.Base, MemoryMap.Plic.Size)
            .SetCells("riscv,ndev", MemoryMap.LastInterrupt)
            .SetCells("phandle", phandle);
        return phandle;
    }

    private uint[] EachHart(uint first, uint second) => [.. _hartInterruptControllers.SelectMany(c => new[] { c, first, c, second })];

    private static void AddPlatformBus(DeviceTreeNode root, uint plic) => root.AddChild($"platform-bus@{MemoryMap.PlatformBus.Base:x}")
        .SetStrings("compatible", "qemu,platform", "simple-bus")
        .SetCells("#size-cells", 1)
        .SetCells("#address-cells", 1)
        .SetCells("ranges", 0, 0, (uint)MemoryMap.PlatformBus.Base, (uint)MemoryMap.PlatformBus.Size)
        .SetCells("interrupt-parent", plic);

    private static void AddVirtio(DeviceTreeNode soc, uint plic)
    {
        for (var i = 0; i < MemoryMap.VirtioCount; i++)
        {
            var place = MemoryMap.VirtioDevice(i);
            soc.AddChild($"virtio_mmio@{place.Base:x}")
                .SetStrings("compatible", "virtio,mmio")
                .SetCellPairs("reg", place.Base, place.Size)
                .SetCells("interrupt-parent", plic)
                .SetCells("interrupts", MemoryMap.FirstVirtioInterrupt + (uint)i);
        }
    }

    private void SetPcie(DeviceTreeNode pci, uint plic)
    {
        const uint Ports = 0x100_0000, Memory32 = 0x200_0000, Memory64 = 0x300_0000;
        const ulong BusSize = 1 << 20;
        var high = MemoryMap.HighPcieMmio(_memorySize);
        pci.SetCells("#address-cells", 3)
            .SetCells("#interrupt-cells", 1)
            .SetCells("#size-cells", 2)
            .SetStrings("compatible", "pci-host-ecam-generic")
            .SetStrings("device_type", "pci")
            .SetCells("linux,pci-domain", 0)
            .SetCells("bus-range", 0, (uint)(MemoryMap.PcieEcam.Size / BusSize) - 1)
            .SetFlag("dma-coherent")
            .SetCellPairs("reg", MemoryMap.PcieEcam.Base, MemoryMap.PcieEcam.Size)
            .SetCells("ranges",
            [
                .. Window(Ports, 0, MemoryMap.PciePio.Base, MemoryMap.PciePio.Size),
                .. Window(Memory32, MemoryMap.PcieMmio.Base, MemoryMap.PcieMmio.Base, MemoryMap.PcieMmio.Size),
                .. Window(Memory64, high.Base, high.Base, high.Size),
            ])
            .SetCells("interrupt-map", InterruptMap(plic))
            .SetCells("interrupt-map-mask", 0x1800, 0, 0, 7);
    }

    private static uint[] Window(uint kind, ulong bus, ulong address, ulong size) =>
        [kind, (uint)(bus >> 32), (uint)bus, (uint)(address >> 32), (uint)address, (uint)(size >> 32), (uint)size];

    /// <summary>Four lines, and each slot starts with the one after its neighbour's.</summary>
    private static uint[] InterruptMap(uint plic)
    {
        const int Pins = 4;
        var map = new List<uint>();
        for (uint slot = 0; slot < Pins; slot++)
        {
            for (uint pin = 0; pin < Pins; pin++)
                map.AddRange([slot << 11, 0, 0, pin + 1, plic, MemoryMap.FirstPcieInterrupt + (pin + slot) % Pins]);
        }

        return [.. map];
    }

    private void AddReset(DeviceTreeNode root, DeviceTreeNode soc)
    {
        const uint Pass = 0x5555, Reset = 0x7777;
        var test = _nextPhandle++;
        soc.AddChild($"test@{MemoryMap.Test.Base:x}")
            .SetStrings("compatible", "sifive,test1", "sifive,test0", "syscon")
            .SetCellPairs("reg", MemoryMap.Test.Base, MemoryMap.Test.Size)
            .SetCells("phandle", test);
        root.AddChild("reboot").SetStrings("compatible", "syscon-reboot").SetCells("regmap", test).SetCells("offset", 0).SetCells("value", Reset);
        root.AddChild("poweroff").SetStrings("compatible", "syscon-poweroff").SetCells("regmap", test).SetCells("offset", 0).SetCells("value", Pass);
    }

    private static void AddSerial(DeviceTreeNode soc, uint plic, DeviceTreeNode chosen, DeviceTreeNode aliases)
    {
        var name = $"serial@{MemoryMap.Uart0.Base:x}";
        soc.AddChild(name)
            .SetStrings("compatible", "ns16550a")
            .SetCellPairs("reg", MemoryMap.Uart0.Base, MemoryMap.Uart0.Size)
            .SetCells("clock-frequency", 3_686_400)
            .SetCells("interrupt-parent", plic)
            .SetCells("interrupts", MemoryMap.UartInterrupt);
        chosen.SetStrings("stdout-path", $"/soc/{name}");
        aliases.SetStrings("serial0", $"/soc/{name}");
    }

    private static void AddRtc(DeviceTreeNode soc, uint plic) => soc.AddChild($"rtc@{MemoryMap.Rtc.Base:x}")
        .SetStrings("compatible", "google,goldfish-rtc")
        .SetCellPairs("reg", MemoryMap.Rtc.Base, MemoryMap.Rtc.Size)
        .SetCells("interrupt-parent", plic)
        .SetCells("interrupts", MemoryMap.RtcInterrupt);
}
