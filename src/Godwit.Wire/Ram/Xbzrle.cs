namespace Godwit.Wire.Ram;

/// <summary>
/// Xor-based zero run length encoding of a page against its last version. Source: QEMU migration/xbzrle.c.
/// <code>
/// page  = zrun nzrun, again and again
/// zrun  = length                  bytes that did not change
/// nzrun = length, length bytes    bytes that did
/// length = 1 or 2 bytes of ULEB128
/// </code>
/// A trailing zrun is left out. Only the first zrun may be empty, an nzrun never.
/// </summary>
public static class Xbzrle
{
    /// <summary>What <see cref="Encode"/> returns when the encoding would not fit the destination.</summary>
    public const int Overflow = -1;

    private const int MaxLength = 0x3fff;

    /// <summary>Writes into <paramref name="destination"/> what turns <paramref name="old"/> into <paramref name="page"/>.</summary>
    /// <returns>Bytes written; 0 where nothing changed; <see cref="Overflow"/> where it doesn't fit.</returns>
    public static int Encode(ReadOnlySpan<byte> old, ReadOnlySpan<byte> page, Span<byte> destination)
    {
        if (old.Length != page.Length)
            throw new ArgumentException("both versions have the length of one page", nameof(page));
        int i = 0, written = 0;
        while (true)
        {
            var same = old[i..].CommonPrefixLength(page[i..]);
            if (i + same == page.Length)
                return written;
            var start = i + same;
            var end = start;
            while (end < page.Length && old[end] != page[end])
                end++;
            var length = end - start;
            if (same > MaxLength || length > MaxLength)
                return Overflow;
            if (written + LengthOf(same) + LengthOf(length) + length > destination.Length)
                return Overflow;
            written += PutLength(destination[written..], same);
            written += PutLength(destination[written..], length);
            page.Slice(start, length).CopyTo(destination[written..]);
            written += length;
            i = end;
        }
    }

    /// <summary>Applies an encoding to the last version of the page.</summary>
    /// <returns>False for an encoding that is malformed or goes beyond the page; the page is then undefined.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> page)
    {
        int i = 0, d = 0;
        while (i < encoded.Length)
        {
            if (!TryLength(encoded, ref i, out var same) || (same == 0 && d != 0))
                return false;
            d += same;
            if (!TryLength(encoded, ref i, out var length) || length == 0)
                return false;
            if (d + length > page.Length || length > encoded.Length - i)
                return false;
            encoded.Slice(i, length).CopyTo(page[d..]);
            i += length;
            d += length;
        }

        return true;
    }

    private static int LengthOf(int length) => length < 0x80 ? 1 : 2;

    private static int PutLength(Span<byte> destination, int length)
    {
        if (length < 0x80)
        {
            destination[0] = (byte)length;
            return 1;
        }

        destination[0] = (byte)(length | 0x80);
        destination[1] = (byte)(length >> 7);
        return 2;
    }

    private static bool TryLength(ReadOnlySpan<byte> encoded, ref int i, out int length)
    {
        length = 0;
        if (i >= encoded.Length)
            return false;
        length = encoded[i++];
        if (length < 0x80)
            return true;
        if (i >= encoded.Length || encoded[i] >= 0x80)
            return false;
        length = (length & 0x7f) | (encoded[i++] << 7);
        return true;
    }
}
