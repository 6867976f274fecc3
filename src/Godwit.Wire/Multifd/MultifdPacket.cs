using System.Buffers.Binary;
using System.Text;

namespace Godwit.Wire.Multifd;

/// <summary>
/// A packet of a multifd channel: says which pages of a block follow, and which are zero. Source: QEMU migration/multifd.h, MultiFDPacket_t.
/// <code>
///   0 | be32 0x11223344 | be32 version 1 | be32 flags       |
///  12 | be32 pages_alloc | be32 normal_pages | be32 next_packet_size |
///  24 | be64 packet_num | be32 zero_pages | unused 4 + 24 bytes |
///  64 | ramblock, 256 bytes, ended by 0 |
/// 320 | pages_alloc times be64 offset: of the normal pages, then of the zero ones; the rest is 0 |
///     | next_packet_size bytes: the normal pages |
/// </code>
/// There are always as many offsets as pages of the target go into 512 KiB. QEMU before 9.0 knows no zero pages (0 stands there), and sends pages with SYNC.
/// </summary>
public readonly ref struct MultifdPacket
{
    /// <summary>magic, version, flags: what all kinds of packets have.</summary>
    public const int HeaderLength = 12;

    /// <summary>Up to the offsets.</summary>
    public const int FixedLength = 320;

    /// <summary>Bytes of pages that go into one packet.</summary>
    public const int PageBytes = 512 << 10;

    /// <summary>Compressed pages are never longer than that (QEMU's receive buffer).</summary>
    public const int MaxCompressed = 2 * PageBytes;

    private const int NameAt = 64;
    private const int NameLength = 256;

    private readonly ReadOnlySpan<byte> _bytes;

    private MultifdPacket(ReadOnlySpan<byte> bytes, MultifdFlags flags, int normal, int zero, int dataLength)
    {
        _bytes = bytes;
        Flags = flags;
        NormalPages = normal;
        ZeroPages = zero;
        DataLength = dataLength;
    }

    public MultifdFlags Flags { get; }

    /// <summary>How the pages are compressed; none or one bit.</summary>
    public MultifdFlags Compression => Flags & MultifdFlags.Compression;

    public bool IsSync => (Flags & MultifdFlags.Sync) != MultifdFlags.None;

    public int NormalPages { get; }

    public int ZeroPages { get; }

    /// <summary>Bytes of pages behind the packet.</summary>
    public int DataLength { get; }

    public ulong Number => BinaryPrimitives.ReadUInt64BigEndian(_bytes[24..]);

    /// <summary>Without the 0 that ends it.</summary>
    public ReadOnlySpan<byte> BlockName
    {
        get
        {
            var name = _bytes.Slice(NameAt, NameLength - 1);
            var end = name.IndexOf((byte)0);
            return end < 0 ? name : name[..end];
        }
    }

    /// <summary>The offset of a normal page, or, from <see cref="NormalPages"/> on, of a zero one.</summary>
    public ulong Offset(int index) => BinaryPrimitives.ReadUInt64BigEndian(_bytes[(FixedLength + (8 * index))..]);

    public static int PageLimit(int pageBits) => PageBytes >> pageBits;

    /// <summary>Bytes of a packet without its pages.</summary>
    public static int Length(int pageBits) => FixedLength + (8 * PageLimit(pageBits));

    /// <summary>Reads what all kinds of packets have.</summary>
    /// <param name="header"><see cref="HeaderLength"/> bytes.</param>
    /// <param name="channel">For errors: <c>multifd channel 3</c>.</param>
    /// <param name="at">Of the packet among the channel's bytes, for errors.</param>
    /// <exception cref="MigrationStreamException">It is none, or of a kind that isn't supported.</exception>
    public static MultifdFlags ReadHeader(ReadOnlySpan<byte> header, string channel, long at)
    {
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (magic != MultifdHandshake.Magic)
            throw new MigrationStreamException(at, channel, "magic", $"0x{magic:x8}, expected 0x{MultifdHandshake.Magic:x8}");
        var version = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (version != MultifdHandshake.Version)
            throw new MigrationStreamException(at + 4, channel, "version", $"version {version}, expected {MultifdHandshake.Version}");
        var flags = (MultifdFlags)BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        if ((flags & MultifdFlags.DeviceState) != MultifdFlags.None)
            throw Unsupported(at + 8, channel, "multifd device state", "a device sends its state over the multifd channels");
        if ((flags & ~(MultifdFlags.Sync | MultifdFlags.Compression)) is not MultifdFlags.None and var unknown)
            throw new MigrationStreamException(at + 8, channel, "flags", $"unknown flags 0x{(uint)unknown:x}");
        return (flags & MultifdFlags.Compression) switch
        {
            MultifdFlags.None or MultifdFlags.Zlib or MultifdFlags.Zstd => flags,
            MultifdFlags.Qpl or MultifdFlags.Uadk or MultifdFlags.Qatzip => throw Unsupported(
                at + 8,
                channel,
                $"multifd-compression={(flags & MultifdFlags.Compression).ToString().ToLowerInvariant()}",
                "pages are compressed by hardware; none, zlib and zstd are supported"),
            var mixed => throw new MigrationStreamException(at + 8, channel, "flags", $"more than one compression at once: 0x{(uint)mixed:x}"),
        };
    }

    /// <summary>Reads a packet, and checks what can be without knowing the block.</summary>
    /// <param name="bytes"><see cref="Length"/> bytes, whose header was read.</param>
    /// <param name="channel">For errors: <c>multifd channel 3</c>.</param>
    /// <param name="at">Of the packet among the channel's bytes, for errors.</param>
    /// <exception cref="MigrationStreamException">A number in it can't be.</exception>
    public static MultifdPacket Read(ReadOnlySpan<byte> bytes, int pageBits, string channel, long at)
    {
        var flags = ReadHeader(bytes, channel, at);
        var limit = (uint)PageLimit(pageBits);
        var allocated = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        var normal = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
        var data = BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]);
        var zero = BinaryPrimitives.ReadUInt32BigEndian(bytes[32..]);
        if (allocated > limit)
            throw new MigrationStreamException(at + 12, channel, "pages_alloc", $"{allocated} pages, more than the {limit} that a packet holds");
        if (normal > allocated)
            throw new MigrationStreamException(at + 16, channel, "normal_pages", $"{normal} pages, of {allocated} at most");
        if (zero > allocated - normal)
            throw new MigrationStreamException(at + 32, channel, "zero_pages", $"{zero} pages, of {allocated - normal} at most beside the {normal} that aren't zero");
        var most = normal == 0 ? 0 : (flags & MultifdFlags.Compression) == MultifdFlags.None ? normal << pageBits : MaxCompressed;
        var least = normal == 0 ? 0 : (flags & MultifdFlags.Compression) == MultifdFlags.None ? most : 1;
        if (data < least || data > most)
            throw new MigrationStreamException(at + 20, channel, "next_packet_size", $"{data} bytes for {normal} pages; {(least == most ? $"{most}" : $"{least} to {most}")} can be");
        return new MultifdPacket(bytes, flags, (int)normal, (int)zero, (int)data);
    }

    /// <summary>Checks where the pages are to go.</summary>
    /// <param name="blockLength">Bytes of the block that the packet names.</param>
    /// <exception cref="MigrationStreamException">One lies outside, or not on a page.</exception>
    public void CheckOffsets(ulong blockLength, int pageBits, string channel, long at)
    {
        var size = 1UL << pageBits;
        for (var i = 0; i < NormalPages + ZeroPages; i++)
        {
            var offset = Offset(i);
            if ((offset & (size - 1)) != 0)
                throw new MigrationStreamException(at + FixedLength + (8 * i), channel, $"offset[{i}]", $"0x{offset:x} is no page's");
            if (blockLength < size || offset > blockLength - size)
                throw new MigrationStreamException(at + FixedLength + (8 * i), channel, $"offset[{i}]", $"0x{offset:x} is outside of block '{Encoding.ASCII.GetString(BlockName)}', which has 0x{blockLength:x} bytes");
        }
    }

    /// <summary>Writes a packet, all of its <see cref="Length"/> bytes.</summary>
    /// <param name="blockName">Null for a SYNC, which has no pages.</param>
    /// <param name="dataLength">Bytes of pages that follow.</param>
    public static void Write(
        Span<byte> bytes, int pageBits, MultifdFlags flags, ulong number, ReadOnlySpan<byte> blockName, ReadOnlySpan<ulong> normal, ReadOnlySpan<ulong> zero, int dataLength)
    {
        bytes = bytes[..Length(pageBits)];
        bytes.Clear();
        var isSync = (flags & MultifdFlags.Sync) != MultifdFlags.None;
        var writer = new WireWriter(bytes);
        writer.UInt32(MultifdHandshake.Magic);
        writer.UInt32(MultifdHandshake.Version);
        writer.UInt32((uint)flags);
        writer.UInt32(isSync ? 0 : (uint)PageLimit(pageBits));
        writer.UInt32((uint)normal.Length);
        writer.UInt32((uint)dataLength);
        writer.UInt64(number);
        writer.UInt32((uint)zero.Length);
        blockName.CopyTo(bytes[NameAt..(NameAt + NameLength - 1)]);
        var at = FixedLength;
        foreach (var offset in normal)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes[at..], offset);
            at += 8;
        }

        foreach (var offset in zero)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes[at..], offset);
            at += 8;
        }
    }

    private static MigrationStreamException Unsupported(long at, string channel, string what, string why) =>
        new(at, channel, "flags", $"the source uses {what}, which is not supported here: {why}") { Unsupported = what };
}
