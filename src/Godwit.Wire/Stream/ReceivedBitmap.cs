using System.Buffers.Binary;

namespace Godwit.Wire.Stream;

/// <summary>
/// What follows the RECV_BITMAP message on the return path: a bit for each target page of the block that has come.
/// Source: QEMU migration/ram.c, ramblock_recv_bitmap_send.
/// <code>
/// | be64 size | size bytes: little-endian words of 64 bits, page 0 in bit 0 | be64 0x0123456789abcdef |
/// </code>
/// </summary>
public static class ReceivedBitmap
{
    private const ulong EndMark = 0x0123456789abcdef;

    /// <summary>Bytes of the bitmap of <paramref name="pages"/> pages: whole words of 64 bits.</summary>
    public static long ByteCount(ulong pages) => checked((long)((pages + 63) / 64 * 8));

    /// <param name="words">The bitmap, 64 pages a word.</param>
    public static void Write(ref WireWriter writer, ReadOnlySpan<ulong> words)
    {
        writer.UInt64((ulong)words.Length * 8);
        Span<byte> bytes = stackalloc byte[8];
        foreach (var word in words)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, word);
            writer.Bytes(bytes);
        }

        writer.UInt64(EndMark);
    }

    /// <summary>Takes a bitmap off the front of <paramref name="buffer"/>.</summary>
    /// <param name="offset">Bytes from the start of the return path to the buffer, for the error.</param>
    /// <param name="words">Has a word for each 64 pages of the block; filled.</param>
    /// <returns>Bytes taken; 0 where the buffer doesn't hold the whole bitmap yet.</returns>
    /// <exception cref="MigrationStreamException">It isn't of the block's size, or has no end mark.</exception>
    public static int Read(ReadOnlySpan<byte> buffer, long offset, Span<ulong> words)
    {
        var reader = new WireReader(buffer);
        if (!reader.TryUInt64(out var size))
            return 0;
        if (size != (ulong)words.Length * 8)
            throw new MigrationStreamException(offset, "return path", "bitmap size", $"{size} bytes instead of the block's {words.Length * 8L}");
        if (!reader.TryBytes(words.Length * 8, out var bytes) || !reader.TryUInt64(out var mark))
            return 0;
        if (mark != EndMark)
            throw new MigrationStreamException(offset + 8 + (words.Length * 8L), "return path", "bitmap end", $"0x{mark:x16} is not the end mark 0x{EndMark:x16}");
        for (var i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * 8)..]);
        return reader.Position;
    }
}
