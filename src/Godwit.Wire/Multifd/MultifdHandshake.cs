namespace Godwit.Wire.Multifd;

/// <summary>
/// What opens a multifd channel. Source: QEMU migration/multifd.c, MultiFDInit_t.
/// <code>
/// | be32 0x11223344 | be32 version 1 | uuid 16 | id 8 | unused 7 bytes | unused 32 bytes |
/// </code>
/// </summary>
/// <param name="Uuid">The source machine's; all zero where it has none.</param>
/// <param name="Id">From 0; channels are told apart by it, as they come in any order.</param>
public readonly record struct MultifdHandshake(Guid Uuid, byte Id)
{
    public const uint Magic = 0x11223344;
    public const uint Version = 1;
    public const int Length = 64;

    /// <summary>Bytes of the magic number, which tell a multifd channel from a main one.</summary>
    public const int MagicLength = 4;

    private const int Unused = 7 + 32;

    public void Write(ref WireWriter writer)
    {
        writer.UInt32(Magic);
        writer.UInt32(Version);
        writer.Bytes(Uuid.ToByteArray(bigEndian: true));
        writer.Byte(Id);
        writer.Bytes(new byte[Unused]);
    }

    /// <param name="bytes"><see cref="Length"/> of them.</param>
    /// <exception cref="MigrationStreamException">It isn't one.</exception>
    public static MultifdHandshake Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        if (!reader.TryUInt32(out var magic) || !reader.TryUInt32(out var version) || !reader.TryBytes(16, out var uuid) || !reader.TryByte(out var id) || !reader.TryBytes(Unused, out _))
            throw new ArgumentException($"{bytes.Length} bytes are no handshake", nameof(bytes));
        if (magic != Magic)
            throw new MigrationStreamException(0, "multifd channel", "magic", $"0x{magic:x8}, expected 0x{Magic:x8}");
        if (version != Version)
            throw new MigrationStreamException(4, "multifd channel", "version", $"version {version}, expected {Version}");
        return new MultifdHandshake(new Guid(uuid, bigEndian: true), id);
    }
}
