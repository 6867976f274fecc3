namespace Godwit.Wire.MappedRam;

/// <summary>
/// Where the pages of a RAM block stand in a mapped-ram file; follows the block's entry in START's list. Source: QEMU migration/ram.c, struct MappedRamHeader
/// and mapped_ram_setup_ramblock.
/// <code>
/// | be32 version 1 | be64 page size | be64 bitmap offset | be64 pages offset |
/// | bitmap, a bit a page, 64 bits a word of the host's byte order | padding to 1 MiB of the file | pages, each at its own offset | the next block's entry
/// </code>
/// Offsets are the file's, also where the stream begins further in (<c>file:PATH,offset=N</c>).
/// </summary>
/// <param name="PageSize">Bytes, the target's.</param>
/// <param name="BitmapOffset">Bytes from the start of the file to the bitmap.</param>
/// <param name="PagesOffset">Bytes from the start of the file to the block's first page.</param>
public readonly record struct MappedRamHeader(ulong PageSize, ulong BitmapOffset, ulong PagesOffset)
{
    public const int Length = 4 + 8 + 8 + 8;

    /// <summary>What pages begin at a multiple of.</summary>
    public const ulong Alignment = 1 << 20;

    private const uint Version = 1;
    private const int MinPageBits = 8;
    private const int MaxPageBits = 16;

    /// <summary>Pages that the bitmap is for: whole ones.</summary>
    public ulong Pages(ulong blockLength) => blockLength / PageSize;

    /// <summary>Bytes of the bitmap: whole words of 64 bits.</summary>
    public ulong BitmapLength(ulong blockLength) => (Pages(blockLength) + 63) / 64 * 8;

    /// <summary>The header of a block as QEMU would lay it out.</summary>
    /// <param name="headerOffset">Bytes from the start of the file to the header.</param>
    public static MappedRamHeader Place(ulong headerOffset, ulong blockLength, int pageBits)
    {
        var header = new MappedRamHeader(1UL << pageBits, headerOffset + Length, 0);
        return header with { PagesOffset = (header.BitmapOffset + header.BitmapLength(blockLength) + Alignment - 1) & ~(Alignment - 1) };
    }

    public void Write(ref WireWriter writer)
    {
        writer.UInt32(Version);
        writer.UInt64(PageSize);
        writer.UInt64(BitmapOffset);
        writer.UInt64(PagesOffset);
    }

    /// <summary>Reads a header, and checks that what it points to is in order and doesn't overlap.</summary>
    /// <param name="offset">Of the header in the stream, for errors.</param>
    /// <param name="fileOffset">Bytes from the start of the file to the header.</param>
    /// <param name="pageBits">Base-2 logarithm of the target's page size, where it is known.</param>
    /// <returns>False where the bytes don't suffice.</returns>
    /// <exception cref="MigrationStreamException">No such header can be.</exception>
    internal static bool TryRead(ref WireReader reader, long offset, ulong fileOffset, string block, ulong blockLength, int? pageBits, out MappedRamHeader header)
    {
        header = default;
        if (!reader.TryUInt32(out var version))
            return false;
        if (version != Version)
            throw Error(0, "mapped-ram version", $"version {version} is unknown, only {Version} is");
        if (!reader.TryUInt64(out var pageSize))
            return false;
        if (!ulong.IsPow2(pageSize) || pageSize is < 1UL << MinPageBits or > 1UL << MaxPageBits)
            throw Error(4, "mapped-ram page size", $"{pageSize} bytes can't be a page");
        if (pageBits is { } bits && pageSize != 1UL << bits)
            throw Error(4, "mapped-ram page size", $"{pageSize} bytes, and the machine's pages have {1UL << bits}");
        if (!reader.TryUInt64(out var bitmap) || !reader.TryUInt64(out var pages))
            return false;
        header = new MappedRamHeader(pageSize, bitmap, pages);
        var bitmapLength = header.BitmapLength(blockLength);
        if (bitmap < fileOffset + Length || bitmap > long.MaxValue - bitmapLength)
            throw Error(12, "mapped-ram bitmap offset", $"0x{bitmap:x} is not behind the header, which ends at 0x{fileOffset + Length:x}, or no file reaches so far");
        if (pages < bitmap + bitmapLength || pages > long.MaxValue - blockLength)
            throw Error(20, "mapped-ram pages offset", $"0x{pages:x} is not behind the bitmap, which ends at 0x{bitmap + bitmapLength:x}, or no file reaches so far");
        if (pages % pageSize != 0)
            throw Error(20, "mapped-ram pages offset", $"0x{pages:x} is no multiple of the page size {pageSize}");
        return true;

        MigrationStreamException Error(int within, string field, string reason) => new(offset + within, "ram", field, $"block '{block}': {reason}");
    }
}
