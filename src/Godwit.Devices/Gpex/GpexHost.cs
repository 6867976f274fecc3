using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.Gpex;

/// <summary>The generic PCI Express host: bus 0 behind ECAM, two memory windows and a port window, four interrupt lines
/// (QEMU: <c>gpex-pcihost</c>, <c>hw/pci-host/gpex.c</c>). It is the device of the ECAM range; the windows are devices of their own.</summary>
public sealed class GpexHost : IMmioDevice, IResettable
{
    /// <summary>The length in bytes of the ECAM range: 256 buses.</summary>
    public const ulong EcamSize = 0x1000_0000;

    /// <summary>The length in bytes of the port window.</summary>
    public const ulong IoSize = 0x1_0000;

    /// <summary>How many interrupt lines there are; on the board they are sources 32 to 35.</summary>
    public const int Lines = 4;

    private const ushort RedHatVendor = 0x1b36, ExpressHostDevice = 0x0008, HostBridgeClass = 0x0600;
    private const int FunctionsPerBus = 256;

    private readonly InterruptLine[] _lines;
    private readonly List<PciFunction> _plugged = [];
    private readonly PciFunction?[] _functions = new PciFunction?[FunctionsPerBus];

    /// <param name="lines">Four.</param>
    public GpexHost(IReadOnlyList<InterruptLine> lines)
    {
        if (lines.Count != Lines)
            throw new ArgumentException($"{lines.Count} interrupt lines, not {Lines}", nameof(lines));
        _lines = [.. lines];
        Io = new PciWindow("gpex_ioport_window", isIo: true, 0, _plugged);
        Plug(0, 0, Root);
    }

    public string Name => "pcie-mmcfg-mmio";

    public AccessSizes Sizes => new(1, 8);

    public GpexState State { get; } = new();

    /// <summary>The host bridge's own function (QEMU: <c>gpex-root</c>).</summary>
    public PciFunction Root { get; } = new("gpex-root", RedHatVendor, ExpressHostDevice, HostBridgeClass);

    /// <summary>Function 0 of each device and the others, in the order in which they were plugged.</summary>
    public IReadOnlyList<PciFunction> Functions => _plugged;

    /// <summary>The port window, <see cref="IoSize"/> long.</summary>
    public IMmioDevice Io { get; }

    /// <summary>A memory window; its bus addresses are the harts'.</summary>
    /// <param name="start">Where it is mapped.</param>
    public IMmioDevice CreateMemoryWindow(ulong start) => new PciWindow("gpex_mmio_window", isIo: false, start, _plugged);

    /// <summary>Puts a function on bus 0.</summary>
    /// <param name="device">0 to 31.</param>
    /// <param name="function">0 to 7.</param>
    /// <exception cref="ArgumentException">There is one already.</exception>
    public void Plug(int device, int function, PciFunction pciFunction)
    {
        if (device is < 0 or > 31 || function is < 0 or > 7)
            throw new ArgumentException($"no place {device:x2}.{function} on a bus", nameof(device));
        ref var slot = ref _functions[device * 8 + function];
        if (slot is not null)
            throw new ArgumentException($"{slot.Name} is at {device:x2}.{function} already", nameof(device));
        pciFunction.PluggedInto(this, device * 8 + function);
        slot = pciFunction;
        _plugged.Add(pciFunction);
    }

    public ulong Read(ulong offset, int size) => FindFunction(offset) is { } function ? function.ReadConfig((int)(offset & 0xfff), size) : uint.MaxValue;

    public void Write(ulong offset, int size, ulong value) => FindFunction(offset)?.WriteConfig((int)(offset & 0xfff), size, (uint)value);

    public void Reset()
    {
        foreach (var function in _plugged)
            function.Reset();
    }

    internal void UpdateLines()
    {
        Span<int> counts = stackalloc int[Lines];
        counts.Clear();
        foreach (var function in _plugged)
        {
            for (var pin = 0; pin < Lines; pin++)
                if (function.Asserts(pin))
                    counts[(function.DeviceFunction / 8 + pin) % Lines]++;
        }

        for (var line = 0; line < Lines; line++)
        {
            if (counts[line] == State.IrqCount[line])
                continue;
            State.IrqCount[line] = counts[line];
            _lines[line].Set(counts[line] != 0);
        }
    }

    private PciFunction? FindFunction(ulong offset) => offset >> 20 == 0 ? _functions[(offset >> 12) & 0xff] : null;
}
