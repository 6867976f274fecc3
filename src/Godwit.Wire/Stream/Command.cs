using System.Text;

namespace Godwit.Wire.Stream;

/// <summary>
/// A command and its payload. Source: QEMU migration/savevm.c, qemu_savevm_command_send and loadvm_process_command.
/// <code>
/// | 0x08 | be16 command | be16 len | payload |
/// </code>
/// </summary>
public static class Command
{
    public const int HeaderLength = 5;

    private const byte DiscardVersion = 0;

    internal static bool TryRead(scoped ref WireReader reader, long offset, out CommandType type, out ReadOnlySpan<byte> payload)
    {
        type = default;
        payload = default;
        if (!reader.TryUInt16(out var value) || !reader.TryUInt16(out var length))
            return false;
        type = (CommandType)value;
        if (!type.IsKnown())
            throw Error(offset + 1, "command", $"command {value} is unknown");
        var expected = type.PayloadLength();
        if (expected != CommandTypes.Variable && expected != length)
            throw Error(offset + 3, type.QemuName(), $"a payload of {length} bytes instead of {expected}");
        if (type == CommandType.PostcopyAdvise && length is not 0 and not PostcopyAdvise.Length)
            throw Error(offset + 3, type.QemuName(), $"a payload of {length} bytes instead of 0 or {PostcopyAdvise.Length}");
        return reader.TryBytes(length, out payload);
    }

    public static void Write(ref WireWriter writer, CommandType type, scoped ReadOnlySpan<byte> payload)
    {
        writer.Byte((byte)SectionType.Command);
        writer.UInt16((ushort)type);
        writer.UInt16(checked((ushort)payload.Length));
        writer.Bytes(payload);
    }

    public static void WritePing(ref WireWriter writer, uint value)
    {
        Span<byte> payload = stackalloc byte[4];
        new WireWriter(payload).UInt32(value);
        Write(ref writer, CommandType.Ping, payload);
    }

    /// <param name="payload">The payload of a PING or PACKAGED command: four bytes.</param>
    public static uint ReadUInt32(ReadOnlySpan<byte> payload) => new WireReader(payload).TryUInt32(out var value)
        ? value
        : throw new ArgumentException("the payload has four bytes", nameof(payload));

    /// <summary>Payload of POSTCOPY_RAM_DISCARD: <c>version 8 (0) | len 8 | idstr | 0x00 | pairs of be64 start, be64 length</c>.</summary>
    public static RamDiscard ReadRamDiscard(ReadOnlySpan<byte> payload, long offset)
    {
        var reader = new WireReader(payload);
        if (!reader.TryByte(out var version) || !reader.TryCounted(out string name) || !reader.TryByte(out var terminator))
            throw Error(offset, "POSTCOPY_RAM_DISCARD", $"a payload of {payload.Length} bytes is too short for a block name");
        if (version != DiscardVersion)
            throw Error(offset, "POSTCOPY_RAM_DISCARD", $"version {version} is unknown");
        if (terminator != 0)
            throw Error(offset, "POSTCOPY_RAM_DISCARD", "the block name isn't terminated");
        if (reader.Remaining.Length % 16 != 0)
            throw Error(offset, "POSTCOPY_RAM_DISCARD", $"{reader.Remaining.Length} bytes of ranges aren't a multiple of 16");
        var ranges = new List<(ulong Start, ulong Length)>();
        while (reader.TryUInt64(out var start) && reader.TryUInt64(out var length))
            ranges.Add((start, length));
        return new RamDiscard(name, ranges);
    }

    public static void WriteRamDiscard(ref WireWriter writer, RamDiscard discard)
    {
        var length = 1 + 1 + Encoding.UTF8.GetByteCount(discard.BlockName) + 1 + (16 * discard.Ranges.Count);
        var payload = new byte[length];
        var inner = new WireWriter(payload);
        inner.Byte(DiscardVersion);
        inner.Counted(discard.BlockName);
        inner.Byte(0);
        foreach (var (start, count) in discard.Ranges)
        {
            inner.UInt64(start);
            inner.UInt64(count);
        }

        Write(ref writer, CommandType.PostcopyRamDiscard, payload);
    }

    /// <summary>Payload of RECV_BITMAP: <c>len 8 | block idstr</c>.</summary>
    public static string ReadRecvBitmap(ReadOnlySpan<byte> payload, long offset)
    {
        var reader = new WireReader(payload);
        if (!reader.TryCounted(out string name) || name.Length == 0 || reader.Position != payload.Length)
            throw Error(offset, "RECV_BITMAP", $"a payload of {payload.Length} bytes doesn't hold one block name");
        return name;
    }

    public static void WriteRecvBitmap(ref WireWriter writer, string blockName)
    {
        var payload = new byte[1 + Encoding.UTF8.GetByteCount(blockName)];
        new WireWriter(payload).Counted(blockName);
        Write(ref writer, CommandType.RecvBitmap, payload);
    }

    private static MigrationStreamException Error(long offset, string field, string reason) => new(offset, "command", field, reason);
}

/// <summary>Parts of a RAM block that the destination must forget before postcopy runs. Starts and lengths in bytes.</summary>
public sealed record RamDiscard(string BlockName, IReadOnlyList<(ulong Start, ulong Length)> Ranges);

/// <summary>
/// Payload of POSTCOPY_ADVISE where RAM may come by postcopy; with only dirty bitmaps to come so, the payload is empty.
/// <code>
/// | be64 page sizes of all blocks, or-ed | be64 target page size |
/// </code>
/// </summary>
public readonly record struct PostcopyAdvise(ulong PageSizeSummary, ulong TargetPageSize)
{
    public const int Length = 16;

    /// <returns>The advice, or null for the empty payload.</returns>
    public static PostcopyAdvise? Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        return reader.TryUInt64(out var summary) && reader.TryUInt64(out var target) ? new PostcopyAdvise(summary, target) : null;
    }

    public void Write(ref WireWriter writer)
    {
        Span<byte> payload = stackalloc byte[Length];
        var inner = new WireWriter(payload);
        inner.UInt64(PageSizeSummary);
        inner.UInt64(TargetPageSize);
        Command.Write(ref writer, CommandType.PostcopyAdvise, payload);
    }
}
