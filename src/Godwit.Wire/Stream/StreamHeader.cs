namespace Godwit.Wire.Stream;

/// <summary>
/// The first eight bytes of a migration stream. Source: QEMU migration/savevm.h, qemu_savevm_state_header.
/// <code>
/// 0        4        8
/// | "QEVM" | be32 3 |
/// </code>
/// </summary>
public static class StreamHeader
{
    public const uint Magic = 0x5145564d;

    public const uint Version = 3;

    /// <summary>A format that QEMU gave up before 2.0.</summary>
    public const uint ObsoleteVersion = 2;

    public const int Length = 8;

    public static void Write(ref WireWriter writer)
    {
        writer.UInt32(Magic);
        writer.UInt32(Version);
    }

    internal static bool TryRead(ref WireReader reader, long offset)
    {
        if (!reader.TryUInt32(out var magic))
            return false;
        if (magic != Magic)
            throw new MigrationStreamException(offset, "stream", "magic", $"0x{magic:x8} is not a migration stream's 0x{Magic:x8} (\"QEVM\")");
        if (!reader.TryUInt32(out var version))
            return false;
        if (version == ObsoleteVersion)
            throw new MigrationStreamException(offset + 4, "stream", "version", "version 2 is obsolete, no QEMU since 2.0 writes it");
        if (version != Version)
            throw new MigrationStreamException(offset + 4, "stream", "version", $"version {version} is unknown, only {Version} is");
        return true;
    }
}
