namespace Godwit.Wire.Ram;

/// <summary>
/// Writes the items of a RAM section. Source: QEMU migration/ram.c, save_page_header.
/// <code>
/// | be64 offset, flags | len 8 | idstr |  the name only without flag CONTINUE, then for
/// ZERO:          | fill 8 (0) |
/// PAGE:          | a page |
/// XBZRLE:        | 0x01 | be16 len | encoded |
/// COMPRESS_PAGE: | be32 len | zlib data |
/// EOS, MULTIFD_FLUSH, HOOK: nothing
/// </code>
/// </summary>
public static class RamItem
{
    /// <summary>The longest item header: be64 and an idstr.</summary>
    public const int MaxHeaderLength = 8 + 256;

    /// <summary>The encoding byte of an XBZRLE page.</summary>
    public const byte XbzrleEncoding = 0x01;

    /// <param name="offset">Bytes from the start of the block; a multiple of the page size.</param>
    /// <param name="blockName">The block, or null to set CONTINUE.</param>
    public static void WriteHeader(ref WireWriter writer, ulong offset, RamFlags flags, string? blockName)
    {
        if (blockName is null)
            flags |= RamFlags.Continue;
        writer.UInt64(offset | (ulong)flags);
        if (blockName is not null)
            writer.Counted(blockName);
    }

    public static void WriteZeroPage(ref WireWriter writer, ulong offset, string? blockName)
    {
        WriteHeader(ref writer, offset, RamFlags.Zero, blockName);
        writer.Byte(0);
    }

    public static void WriteXbzrle(ref WireWriter writer, ulong offset, string? blockName, ReadOnlySpan<byte> encoded)
    {
        WriteHeader(ref writer, offset, RamFlags.Xbzrle, blockName);
        writer.Byte(XbzrleEncoding);
        writer.UInt16(checked((ushort)encoded.Length));
        writer.Bytes(encoded);
    }

    public static void WriteCompressPage(ref WireWriter writer, ulong offset, string? blockName, ReadOnlySpan<byte> compressed)
    {
        WriteHeader(ref writer, offset, RamFlags.CompressPage, blockName);
        writer.UInt32((uint)compressed.Length);
        writer.Bytes(compressed);
    }

    public static void WriteEos(ref WireWriter writer) => writer.UInt64((ulong)RamFlags.Eos);

    public static void WriteMultifdFlush(ref WireWriter writer) => writer.UInt64((ulong)RamFlags.MultifdFlush);

    public static void WriteHook(ref WireWriter writer) => writer.UInt64((ulong)RamFlags.Hook);

    /// <summary>Opens the list of blocks; the entries follow.</summary>
    /// <param name="total">The sum of the blocks' lengths, in bytes.</param>
    public static void WriteMemSize(ref WireWriter writer, ulong total) => writer.UInt64(total | (ulong)RamFlags.MemSize);
}
