namespace Godwit.Devices.Gpex;

/// <summary>Offsets in a function's configuration space (PCI Local Bus Specification 3.0, section 6.1).</summary>
internal static class PciConfigOffset
{
    public const int VendorId = 0x00, DeviceId = 0x02, Command = 0x04, Status = 0x06, RevisionId = 0x08, ClassDevice = 0x0a,
        CacheLineSize = 0x0c, BaseAddress0 = 0x10, SubsystemVendorId = 0x2c, SubsystemId = 0x2e, InterruptLine = 0x3c, InterruptPin = 0x3d,
        DeviceSpecific = 0x40;
}

/// <summary>Bits of the command register.</summary>
internal static class PciCommand
{
    public const ushort Io = 1, Memory = 2, Master = 4, Serr = 0x100, IntxDisable = 0x400;
}
