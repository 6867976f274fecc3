using System.Buffers.Binary;
using System.Numerics;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>
/// Reads a channel's packets, whose length follows from the target's page size. Where that isn't known, a packet with pages says how many it has room for. The first
/// one is a SYNC that says nothing; it is taken by its fixed part, as the main channel may have to go on before another packet comes, and where that one begins
/// shows the length.
/// </summary>
internal sealed class PacketReader(Channel channel, string name, TargetPageSize size)
{
    private const int MinPageBits = 8;
    private const int MaxPageBits = 16;

    private byte[] _bytes = new byte[MultifdPacket.FixedLength];
    private int _ahead;
    private bool _open;
    private long _at = MultifdHandshake.Length;
    private long _done = MultifdHandshake.Length;

    /// <summary>Bytes that came before the packet that was read last.</summary>
    public long At => _at;

    /// <summary>Bytes of whole packets. For any thread.</summary>
    public long Bytes => Volatile.Read(ref _done);

    /// <summary>Reads a packet without its pages.</summary>
    /// <returns>False where the channel ended.</returns>
    /// <exception cref="MigrationStreamException">It is malformed, or of a kind that isn't supported.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public bool TryRead(out MultifdPacket packet)
    {
        packet = default;
        if (_open)
            FindNext();
        _at = _done;
        if (size.Bits is { } known)
            Array.Resize(ref _bytes, MultifdPacket.Length(known));
        var count = _ahead + channel.ReadAll(_bytes.AsSpan(_ahead, MultifdPacket.HeaderLength - _ahead));
        _ahead = 0;
        if (count == 0)
            return false;
        Require(count, MultifdPacket.HeaderLength);
        var flags = MultifdPacket.ReadHeader(_bytes, name, _at);
        var read = _bytes.Length;
        Read(MultifdPacket.HeaderLength, read);
        if (size.Bits is null)
            Learn(flags);
        if (size.Bits is not { } bits)
        {
            _open = true;
            packet = MultifdPacket.Read(_bytes, MinPageBits, name, _at);
            return true;
        }

        Array.Resize(ref _bytes, MultifdPacket.Length(bits));
        Read(read, _bytes.Length);
        packet = MultifdPacket.Read(_bytes, bits, name, _at);
        return true;
    }

    /// <summary>The packet and its pages are taken.</summary>
    public void Took(int dataLength) => Volatile.Write(ref _done, _at + _bytes.Length + dataLength);

    private void Learn(MultifdFlags flags)
    {
        var room = BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(12));
        var pages = BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(16)) | BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(32));
        if (room == 0 && pages == 0 && (flags & MultifdFlags.Sync) != MultifdFlags.None)
            return;
        var bits = room == 0 ? 0 : BitOperations.Log2(MultifdPacket.PageBytes) - BitOperations.Log2(room);
        if (!BitOperations.IsPow2(room) || bits is < MinPageBits or > MaxPageBits)
            throw new MigrationStreamException(_at + 12, name, "pages_alloc", $"{room} pages in {MultifdPacket.PageBytes} bytes are of no size that a target has");
        size.Tell(bits);
    }

    /// <summary>Reads the rest of a SYNC, up to where the next packet begins.</summary>
    private void FindNext()
    {
        _open = false;
        var rest = new byte[MultifdPacket.Length(MinPageBits) - MultifdPacket.FixedLength + MultifdHandshake.MagicLength];
        var count = 0;
        // Another channel may find it meanwhile.
        var known = size.Bits;
        for (var bits = known ?? MaxPageBits; bits >= (known ?? MinPageBits); bits--)
        {
            var length = MultifdPacket.Length(bits) - MultifdPacket.FixedLength;
            var wanted = known is null ? length + MultifdHandshake.MagicLength : length;
            count += channel.ReadAll(rest.AsSpan(count, wanted - count));
            Require(MultifdPacket.FixedLength + count, MultifdPacket.FixedLength + wanted);
            if (wanted > length && BinaryPrimitives.ReadUInt32BigEndian(rest.AsSpan(length)) != MultifdHandshake.Magic)
                continue;
            size.Tell(bits);
            _ahead = wanted - length;
            rest.AsSpan(length, _ahead).CopyTo(_bytes);
            Volatile.Write(ref _done, _at + MultifdPacket.FixedLength + length);
            return;
        }

        throw new MigrationStreamException(_at + MultifdPacket.FixedLength, name, "magic", "no packet begins where one of any target's page size would end");
    }

    private void Read(int from, int to) => Require(from + channel.ReadAll(_bytes.AsSpan(from, to - from)), to);

    private void Require(int count, int wanted)
    {
        if (count < wanted)
            throw new MigrationStreamException(_at + count, name, "packet", "the channel ends here, within a packet");
    }
}
