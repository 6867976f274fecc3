using System.Buffers.Binary;
using System.Text;
using Godwit.Testing;
using Godwit.Wire.Multifd;

namespace Godwit.Wire.Tests;

/// <summary>Packets as real QEMUs wrote them, and packets that can't be.</summary>
public sealed class MultifdTests
{
    private const int PageBits = 12;
    private const string Channel = "multifd channel 0";
    private static readonly int Length = MultifdPacket.Length(PageBits);

    public static TheoryData<string, int> Channels
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var name in Golden.Multifd)
            {
                data.Add(name, 0);
                data.Add(name, 1);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Channels))]
    public void What_QEMU_wrote_is_written_the_same(string name, int id)
    {
        var bytes = Golden.Channel(name, id);
        var handshake = MultifdHandshake.Read(bytes.AsSpan(0, MultifdHandshake.Length));
        Assert.Equal(new MultifdHandshake(Guid.Empty, (byte)id), handshake);
        var buffer = new byte[Length];
        var writer = new WireWriter(buffer);
        handshake.Write(ref writer);
        Assert.Equal(bytes[..MultifdHandshake.Length], writer.Written.ToArray());

        var (pages, zeros, syncs) = (0, 0, 0);
        var compression = MultifdFlags.None;
        for (var at = MultifdHandshake.Length; at < bytes.Length;)
        {
            var packet = MultifdPacket.Read(bytes.AsSpan(at, Length), PageBits, Channel, at);
            var offsets = new ulong[packet.NormalPages + packet.ZeroPages];
            for (var i = 0; i < offsets.Length; i++)
                offsets[i] = packet.Offset(i);
            MultifdPacket.Write(buffer, PageBits, packet.Flags, packet.Number, packet.BlockName, offsets.AsSpan(0, packet.NormalPages), offsets.AsSpan(packet.NormalPages), packet.DataLength);
            Assert.Equal(bytes[at..(at + Length)], buffer);
            pages += packet.NormalPages;
            zeros += packet.ZeroPages;
            syncs += packet.IsSync ? 1 : 0;
            compression |= packet.Compression;
            at += Length + packet.DataLength;
            Assert.InRange(at, 0, bytes.Length);
        }

        Assert.True(pages > 0 && zeros > 0 && syncs >= 2, $"{pages} pages, {zeros} zero, {syncs} SYNC");
        Assert.Equal(name.EndsWith("zlib", StringComparison.Ordinal) ? MultifdFlags.Zlib : name.EndsWith("zstd", StringComparison.Ordinal) ? MultifdFlags.Zstd : MultifdFlags.None, compression);
    }

    [Theory]
    [InlineData(0, 0x11223345, "magic", 0)]
    [InlineData(4, 2, "version", 4)]
    [InlineData(8, 0x80, "flags", 8)]
    [InlineData(8, 0x06, "flags", 8)]
    [InlineData(12, 129, "pages_alloc", 12)]
    [InlineData(12, 0xffffffff, "pages_alloc", 12)]
    [InlineData(12, 2, "normal_pages", 16)]
    [InlineData(16, 129, "normal_pages", 16)]
    [InlineData(16, 0xffffffff, "normal_pages", 16)]
    [InlineData(32, 126, "zero_pages", 32)]
    [InlineData(32, 0xffffffff, "zero_pages", 32)]
    [InlineData(20, 0, "next_packet_size", 20)]
    [InlineData(20, 0x2fff, "next_packet_size", 20)]
    [InlineData(20, 0xffffffff, "next_packet_size", 20)]
    public void A_field_that_cant_be_is_named(int at, uint value, string field, int place)
    {
        var bytes = Packet();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);

        var error = Assert.Throws<MigrationStreamException>(() => { MultifdPacket.Read(bytes, PageBits, Channel, 1000); });

        Assert.Equal((Channel, field, 1000L + place), (error.Section, error.Field, error.Offset));
        Assert.Null(error.Unsupported);
    }

    [Theory]
    [InlineData(0x40, "multifd device state")]
    [InlineData(0x08, "multifd-compression=qpl")]
    [InlineData(0x10, "multifd-compression=uadk")]
    [InlineData(0x20, "multifd-compression=qatzip")]
    public void What_is_not_supported_is_refused_by_name(uint flags, string what)
    {
        var bytes = Packet();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), flags);

        var error = Assert.Throws<MigrationStreamException>(() => { MultifdPacket.Read(bytes, PageBits, Channel, 0); });

        Assert.Equal(what, error.Unsupported);
    }

    [Theory]
    [InlineData(0, 0x10000UL)]
    [InlineData(2, 0xfffffffffffff000UL)]
    [InlineData(3, 0xf001UL)]
    [InlineData(4, 0x8000000000000000UL)]
    public void An_offset_outside_of_its_block_is_named(int index, ulong offset)
    {
        var bytes = Packet();
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(MultifdPacket.FixedLength + (8 * index)), offset);

        var error = Assert.Throws<MigrationStreamException>(() => MultifdPacket.Read(bytes, PageBits, Channel, 0).CheckOffsets(0x10000, PageBits, Channel, 0));

        Assert.Equal(($"offset[{index}]", (long)(MultifdPacket.FixedLength + (8 * index))), (error.Field, error.Offset));
    }

    [Fact]
    public void A_block_shorter_than_a_page_has_none()
    {
        var error = Assert.Throws<MigrationStreamException>(() => MultifdPacket.Read(Packet(), PageBits, Channel, 0).CheckOffsets(0xfff, PageBits, Channel, 0));
        Assert.Equal("offset[0]", error.Field);
    }

    [Fact]
    public void A_name_without_an_end_has_255_bytes()
    {
        var bytes = Packet();
        bytes.AsSpan(64, 256).Fill((byte)'x');
        Assert.Equal(255, MultifdPacket.Read(bytes, PageBits, Channel, 0).BlockName.Length);
    }

    [Theory]
    [InlineData(0, "magic")]
    [InlineData(4, "version")]
    public void A_handshake_that_cant_be_is_named(int at, string field)
    {
        var bytes = Golden.Channel("virt-11.1-multifd", 1)[..MultifdHandshake.Length];
        bytes[at] = 0xff;
        Assert.Equal(field, Assert.Throws<MigrationStreamException>(() => MultifdHandshake.Read(bytes)).Field);
    }

    /// <summary>Three pages and two zero ones, of 16.</summary>
    private static byte[] Packet()
    {
        var bytes = new byte[Length];
        MultifdPacket.Write(bytes, PageBits, MultifdFlags.None, 7, Encoding.ASCII.GetBytes("ram"), [0, 0x1000, 0x2000], [0xe000, 0xf000], 0x3000);
        return bytes;
    }
}
