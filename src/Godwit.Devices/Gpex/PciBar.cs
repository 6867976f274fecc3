using System.Buffers.Binary;
using System.Numerics;
using Godwit.Memory;

namespace Godwit.Devices.Gpex;

/// <summary>What a base address register maps into.</summary>
public enum PciBarKind
{
    Io,
    Memory32,
    Memory64,
}

/// <summary>A base address register and where it puts its device now.</summary>
internal sealed class PciBar
{
    public PciBar(int index, PciBarKind kind, ulong length, IMmioDevice device)
    {
        if (!BitOperations.IsPow2(length) || length < 16)
            throw new ArgumentOutOfRangeException(nameof(length), $"a base address register of {length} bytes");
        Index = index;
        Kind = kind;
        Length = length;
        Device = device;
    }

    public int Index { get; }

    public PciBarKind Kind { get; }

    public ulong Length { get; }

    public IMmioDevice Device { get; }

    /// <summary>On the bus; null while it isn't mapped.</summary>
    public ulong? Address { get; private set; }

    /// <summary>The register's lowest bits.</summary>
    public uint TypeBits => Kind switch { PciBarKind.Io => 1, PciBarKind.Memory64 => 4, _ => 0 };

    public bool Overlaps(PciBar other) => Index < other.Index + other.Slots && other.Index < Index + Slots;

    private int Slots => Kind == PciBarKind.Memory64 ? 2 : 1;

    /// <summary>Looks where the registers say it is; nowhere when the command register doesn't enable it, or at 0 or the space's end (QEMU: <c>pci_bar_address</c>).</summary>
    public void Map(ReadOnlySpan<byte> registers, ushort command)
    {
        Address = null;
        if ((command & (Kind == PciBarKind.Io ? PciCommand.Io : PciCommand.Memory)) == 0)
            return;
        var address = Kind == PciBarKind.Memory64
            ? BinaryPrimitives.ReadUInt64LittleEndian(registers)
            : BinaryPrimitives.ReadUInt32LittleEndian(registers);
        address &= ~(Length - 1);
        var last = address + (Length - 1);
        var end = Kind == PciBarKind.Memory64 ? ulong.MaxValue : uint.MaxValue;
        if (address != 0 && last > address && last < end)
            Address = address;
    }
}
