using System.Text;

namespace Godwit.Wire.Stream;

/// <summary>The messages from destination to source. Source: QEMU migration/migration.c, enum mig_rp_message_type.</summary>
public enum ReturnPathType : ushort
{
    /// <summary>The destination is done; be32 0 for success.</summary>
    Shut = 1,

    /// <summary>Answers PING with its be32 value.</summary>
    Pong = 2,

    /// <summary>Asks for pages: be64 start, be32 length, len 8, block idstr.</summary>
    RequestPagesId = 3,

    /// <summary>Asks for pages of the block named last: be64 start, be32 length.</summary>
    RequestPages = 4,

    /// <summary>len 8, block idstr; then, outside the message, a <see cref="ReceivedBitmap"/>.</summary>
    RecvBitmap = 5,

    /// <summary>Ready to resume postcopy: be32 1.</summary>
    ResumeAck = 6,

    /// <summary>The source may switch over.</summary>
    SwitchoverAck = 7,
}

/// <summary>
/// One message of the return path. Source: QEMU migration/migration.c, source_return_path_thread.
/// <code>
/// | be16 type | be16 len | payload |
/// </code>
/// </summary>
/// <param name="Value">The be32 of SHUT, PONG and RESUME_ACK.</param>
/// <param name="Start">Bytes from the start of the block, for page requests.</param>
/// <param name="Length">Bytes asked for, for page requests.</param>
/// <param name="BlockName">The block of RequestPagesId and RecvBitmap.</param>
public readonly record struct ReturnPathMessage(ReturnPathType Type, uint Value = 0, ulong Start = 0, uint Length = 0, string? BlockName = null)
{
    /// <summary>Header and the longest payload: start, length and an idstr.</summary>
    public const int MaxLength = 4 + 8 + 4 + 1 + 255;

    private const int HeaderLength = 4;

    /// <summary>Takes one message off the front of <paramref name="buffer"/>.</summary>
    /// <param name="offset">Bytes from the start of the return path to the buffer, for the error.</param>
    /// <returns>Bytes taken; 0 where the buffer doesn't hold a whole message yet.</returns>
    /// <exception cref="MigrationStreamException">An unknown type, or a length that doesn't fit it.</exception>
    public static int Read(ReadOnlySpan<byte> buffer, long offset, out ReturnPathMessage message)
    {
        message = default;
        var reader = new WireReader(buffer);
        if (!reader.TryUInt16(out var value) || !reader.TryUInt16(out var length))
            return 0;
        var type = (ReturnPathType)value;
        var expected = type switch
        {
            ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck => length == 4,
            ReturnPathType.RequestPages => length == 12,
            ReturnPathType.RequestPagesId => length is > 13 and <= 12 + 256,
            ReturnPathType.RecvBitmap => length is > 1 and <= 256,
            ReturnPathType.SwitchoverAck => length == 0,
            _ => throw Error(offset, "type", $"message {value} (length {length}) is unknown"),
        };
        if (!expected)
            throw Error(offset + 2, "len", $"{length} bytes don't fit message {type}");
        if (!reader.TryBytes(length, out var payload))
            return 0;
        message = ReadPayload(type, payload, offset + HeaderLength);
        return reader.Position;
    }

    public void Write(ref WireWriter writer)
    {
        var nameLength = BlockName is null ? 0 : 1 + Encoding.UTF8.GetByteCount(BlockName);
        writer.UInt16((ushort)Type);
        switch (Type)
        {
            case ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck:
                writer.UInt16(4);
                writer.UInt32(Value);
                break;
            case ReturnPathType.RequestPages or ReturnPathType.RequestPagesId:
                writer.UInt16((ushort)(12 + nameLength));
                writer.UInt64(Start);
                writer.UInt32(Length);
                break;
            default:
                writer.UInt16((ushort)nameLength);
                break;
        }

        if (BlockName is not null)
            writer.Counted(BlockName);
    }

    private static ReturnPathMessage ReadPayload(ReturnPathType type, ReadOnlySpan<byte> payload, long offset)
    {
        var reader = new WireReader(payload);
        uint value = 0;
        ulong start = 0;
        uint length = 0;
        string? name = null;
        if (type is ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck)
            reader.TryUInt32(out value);
        if (type is ReturnPathType.RequestPages or ReturnPathType.RequestPagesId)
        {
            reader.TryUInt64(out start);
            reader.TryUInt32(out length);
        }

        if (type is ReturnPathType.RequestPagesId or ReturnPathType.RecvBitmap)
        {
            if (!reader.TryCounted(out name) || reader.Remaining.Length != 0)
                throw Error(offset + reader.Position, "idstr", $"a payload of {payload.Length} bytes doesn't hold one block name");
        }

        return new ReturnPathMessage(type, value, start, length, name);
    }

    private static MigrationStreamException Error(long offset, string field, string reason) => new(offset, "return path", field, reason);
}
