using Godwit.Memory;

namespace Godwit.Devices.Gpex;

/// <summary>A part of the bus's memory or port space as the harts see it. Where no function is mapped, reads are all ones and writes
/// are dropped (QEMU: <c>gpex_mmio_window</c>, <c>gpex_ioport_window</c>).</summary>
internal sealed class PciWindow(string name, bool isIo, ulong busAddress, IReadOnlyList<PciFunction> functions) : IMmioDevice
{
    public string Name => name;

    public AccessSizes Sizes => new(1, 8, 1, 8);

    public ulong Read(ulong offset, int size) =>
        Find(offset, size) is var (device, inDevice) && DeviceAccess.TryRead(device, inDevice, size, out var value) ? value : ulong.MaxValue;

    public void Write(ulong offset, int size, ulong value)
    {
        if (Find(offset, size) is var (device, inDevice))
            DeviceAccess.TryWrite(device, inDevice, size, value);
    }

    private (IMmioDevice Device, ulong Offset)? Find(ulong offset, int size)
    {
        var address = busAddress + offset;
        foreach (var function in functions)
        {
            foreach (var bar in function.Bars)
            {
                if ((bar.Kind == PciBarKind.Io) == isIo && bar.Address is { } start && address >= start && address - start <= bar.Length - (ulong)size)
                    return (bar.Device, address - start);
            }
        }

        return null;
    }
}
