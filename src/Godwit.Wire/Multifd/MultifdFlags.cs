namespace Godwit.Wire.Multifd;

/// <summary>The flags of a multifd packet. Five bits are for the compression; one of them at most is set. Source: QEMU migration/multifd.h.</summary>
[Flags]
public enum MultifdFlags : uint
{
    /// <summary>Pages as they are.</summary>
    None = 0,

    /// <summary>The channel waits here for the main one.</summary>
    Sync = 0x01,

    Zlib = 0x02,
    Zstd = 0x04,
    Qpl = 0x08,
    Uadk = 0x10,
    Qatzip = 0x20,

    Compression = Zlib | Zstd | Qpl | Uadk | Qatzip,

    /// <summary>A device's state, not pages: the packet has another form.</summary>
    DeviceState = 0x40,
}
