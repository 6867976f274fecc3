using System.Buffers.Binary;
using Godwit.Memory;

namespace Godwit.Devices.Gpex;

/// <summary>A PCI function: its configuration space with what of it is writable, its base address registers and its interrupt pin
/// (QEMU: <c>PCIDevice</c>, <c>hw/pci/pci.c</c>).</summary>
public class PciFunction
{
    /// <summary>Of the base address registers; a 64-bit one takes two.</summary>
    public const int BarCount = 6;

    private const ushort QumranetVendor = 0x1af4, QemuSubsystem = 0x1100;
    private const ushort StatusInterrupt = 0x0008, StatusWriteOneToClear = 0xf900;
    private const int ConventionalLength = 256, ExpressLength = 4096;

    /// <summary>Bytes that QEMU compares in every function (its <c>cmask</c>).</summary>
    private static readonly byte[] s_identity = [0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x0e, 0x34];

    private readonly byte[] _writable;
    private readonly byte[] _writeOneToClear;
    private readonly PciBar?[] _bars = new PciBar?[BarCount];
    private GpexHost? _host;

    /// <param name="classDevice">Base class and subclass, as 0x0600.</param>
    /// <param name="isExpress">With 4096 bytes of configuration space.</param>
    /// <param name="interruptPin">1 for INTA, 0 for none.</param>
    public PciFunction(string name, ushort vendor, ushort device, ushort classDevice, byte revision = 0, bool isExpress = false, byte interruptPin = 0)
    {
        Name = name;
        State = new PciFunctionState(isExpress ? ExpressLength : ConventionalLength);
        _writable = new byte[State.Config.Length];
        _writeOneToClear = new byte[State.Config.Length];
        Set16(State.Config, PciConfigOffset.VendorId, vendor);
        Set16(State.Config, PciConfigOffset.DeviceId, device);
        Set16(State.Config, PciConfigOffset.ClassDevice, classDevice);
        Set16(State.Config, PciConfigOffset.SubsystemVendorId, QumranetVendor);
        Set16(State.Config, PciConfigOffset.SubsystemId, QemuSubsystem);
        State.Config[PciConfigOffset.RevisionId] = revision;
        State.Config[PciConfigOffset.InterruptPin] = interruptPin;
        Set16(_writable, PciConfigOffset.Command, PciCommand.Io | PciCommand.Memory | PciCommand.Master | PciCommand.Serr | PciCommand.IntxDisable);
        Set16(_writeOneToClear, PciConfigOffset.Status, StatusWriteOneToClear);
        _writable[PciConfigOffset.CacheLineSize] = 0xff;
        _writable[PciConfigOffset.InterruptLine] = 0xff;
        // All behind the header is writable until a capability takes it, as in QEMU.
        _writable.AsSpan(PciConfigOffset.DeviceSpecific).Fill(0xff);
    }

    public string Name { get; }

    public PciFunctionState State { get; }

    /// <summary>Device × 8 + function, once it is plugged.</summary>
    public int DeviceFunction { get; private set; }

    internal IEnumerable<PciBar> Bars => _bars.OfType<PciBar>();

    private ushort Command => Get16(State.Config, PciConfigOffset.Command);

    /// <summary>Declares a base address register; before the function is plugged.</summary>
    /// <param name="index">0 to 5; a 64-bit one takes the next too.</param>
    /// <param name="kind">Where it is mapped.</param>
    /// <param name="length">In bytes, a power of two of at least 16.</param>
    public void AddBar(int index, PciBarKind kind, ulong length, IMmioDevice device)
    {
        var bar = new PciBar(index, kind, length, device);
        var slots = kind == PciBarKind.Memory64 ? 2 : 1;
        if (index < 0 || index + slots > BarCount || Bars.Any(b => b.Overlaps(bar)))
            throw new ArgumentException($"{Name}: no base address register {index}", nameof(index));
        _bars[index] = bar;
        var offset = PciConfigOffset.BaseAddress0 + 4 * index;
        BinaryPrimitives.WriteUInt32LittleEndian(State.Config.AsSpan(offset), bar.TypeBits);
        BinaryPrimitives.WriteUInt32LittleEndian(_writable.AsSpan(offset), (uint)~(length - 1));
        if (slots == 2)
            BinaryPrimitives.WriteUInt32LittleEndian(_writable.AsSpan(offset + 4), (uint)(~(length - 1) >> 32));
    }

    /// <summary>Makes a range of the configuration space read-only, as a capability's fields are.</summary>
    public void Protect(int offset, int length) => _writable.AsSpan(offset, length).Clear();

    /// <summary>Reads configuration space. All ones past its end.</summary>
    /// <param name="size">1, 2 or 4.</param>
    public virtual uint ReadConfig(int offset, int size)
    {
        if (offset >= State.Config.Length)
            return uint.MaxValue;
        uint value = 0;
        for (var i = 0; i < size && offset + i < State.Config.Length; i++)
            value |= (uint)State.Config[offset + i] << (8 * i);
        return value;
    }

    /// <summary>Writes what of configuration space is writable.</summary>
    /// <param name="size">1, 2 or 4.</param>
    public virtual void WriteConfig(int offset, int size, uint value)
    {
        for (var i = 0; i < size && offset + i < State.Config.Length; i++)
        {
            var bits = (byte)(value >> (8 * i));
            ref var config = ref State.Config[offset + i];
            config = (byte)((config & ~_writable[offset + i]) | (bits & _writable[offset + i]));
            config &= (byte)~(bits & _writeOneToClear[offset + i]);
        }

        Remap();
        if (offset < PciConfigOffset.Command + 2 && offset + size > PciConfigOffset.Command)
            UpdateLines();
    }

    /// <summary>Sets the level of the function's interrupt pin.</summary>
    public void SetInterrupt(bool level)
    {
        var pin = State.Config[PciConfigOffset.InterruptPin] - 1;
        if (pin < 0)
            throw new InvalidOperationException($"{Name} has no interrupt pin");
        State.IrqState[pin] = level ? 1 : 0;
        var status = Get16(State.Config, PciConfigOffset.Status);
        Set16(State.Config, PciConfigOffset.Status, level ? (ushort)(status | StatusInterrupt) : (ushort)(status & ~StatusInterrupt));
        UpdateLines();
    }

    /// <summary>Clears what a bus reset clears: command, status, interrupt line, cache line size and the base addresses.</summary>
    public virtual void Reset()
    {
        Array.Clear(State.IrqState);
        Set16(State.Config, PciConfigOffset.Command, 0);
        Set16(State.Config, PciConfigOffset.Status, (ushort)(Get16(State.Config, PciConfigOffset.Status) & ~(StatusWriteOneToClear | StatusInterrupt)));
        State.Config[PciConfigOffset.InterruptLine] = 0;
        State.Config[PciConfigOffset.CacheLineSize] = 0;
        foreach (var bar in Bars)
        {
            var registers = State.Config.AsSpan(PciConfigOffset.BaseAddress0 + 4 * bar.Index);
            BinaryPrimitives.WriteUInt32LittleEndian(registers, bar.TypeBits);
            if (bar.Kind == PciBarKind.Memory64)
                BinaryPrimitives.WriteUInt32LittleEndian(registers[4..], 0);
        }

        Remap();
        UpdateLines();
    }

    /// <summary>Goes on from <see cref="State"/>.</summary>
    public void AfterLoad() => Remap();

    /// <summary>Takes the configuration space of another machine's function, which must be the same kind of function.</summary>
    /// <exception cref="InvalidDataException">Vendor, device, class or header type differ: nothing was taken.</exception>
    internal void LoadConfig(ReadOnlySpan<byte> config)
    {
        foreach (var offset in s_identity)
        {
            if (config[offset] != State.Config[offset])
                throw new InvalidDataException($"{Name}: {config[offset]:x2} at {offset:x} of the configuration space, but it is {State.Config[offset]:x2} here");
        }

        config.CopyTo(State.Config);
    }

    internal void PluggedInto(GpexHost host, int deviceFunction)
    {
        if (_host is not null)
            throw new InvalidOperationException($"{Name} is plugged already");
        _host = host;
        DeviceFunction = deviceFunction;
    }

    /// <summary>Whether a pin's level reaches the bus.</summary>
    internal bool Asserts(int pin) => State.IrqState[pin] != 0 && (Command & PciCommand.IntxDisable) == 0;

    private static ushort Get16(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private static void Set16(byte[] bytes, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), value);

    private void UpdateLines() => _host?.UpdateLines();

    private void Remap()
    {
        foreach (var bar in Bars)
            bar.Map(State.Config.AsSpan(PciConfigOffset.BaseAddress0 + 4 * bar.Index), Command);
    }
}
