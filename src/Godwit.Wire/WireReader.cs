using System.Buffers.Binary;
using System.Text;

namespace Godwit.Wire;

/// <summary>
/// Reads big-endian fields off a span. Every read either takes the whole field or takes nothing, returns false and says in
/// <see cref="Needed"/> how long the span must at least be, so that a caller with more bytes to come can try again.
/// </summary>
public ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _span;

    public WireReader(ReadOnlySpan<byte> span)
    {
        _span = span;
    }

    /// <summary>Bytes taken so far.</summary>
    public int Position { get; private set; }

    /// <summary>The span length that the last failed read asked for.</summary>
    public int Needed { get; private set; }

    public readonly ReadOnlySpan<byte> Remaining => _span[Position..];

    public bool TryByte(out byte value)
    {
        if (!Has(1))
        {
            value = 0;
            return false;
        }

        value = _span[Position++];
        return true;
    }

    public bool TryPeekByte(out byte value)
    {
        if (!Has(1))
        {
            value = 0;
            return false;
        }

        value = _span[Position];
        return true;
    }

    public bool TryUInt16(out ushort value)
    {
        value = 0;
        return TryBytes(2, out var bytes) && BinaryPrimitives.TryReadUInt16BigEndian(bytes, out value);
    }

    public bool TryUInt32(out uint value)
    {
        value = 0;
        return TryBytes(4, out var bytes) && BinaryPrimitives.TryReadUInt32BigEndian(bytes, out value);
    }

    public bool TryUInt64(out ulong value)
    {
        value = 0;
        return TryBytes(8, out var bytes) && BinaryPrimitives.TryReadUInt64BigEndian(bytes, out value);
    }

    public bool TryBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        if (!Has(count))
        {
            bytes = default;
            return false;
        }

        bytes = _span.Slice(Position, count);
        Position += count;
        return true;
    }

    /// <summary>A byte of length and as many bytes of text: the form of every idstr.</summary>
    public bool TryCounted(out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!Has(1) || !Has(1 + _span[Position]))
            return false;
        text = _span.Slice(Position + 1, _span[Position]);
        Position += 1 + text.Length;
        return true;
    }

    public bool TryCounted(out string text)
    {
        if (!TryCounted(out ReadOnlySpan<byte> bytes))
        {
            text = "";
            return false;
        }

        // QEMU's names are ASCII; bytes that aren't become '?', so that the text has as many bytes as came.
        text = Encoding.ASCII.GetString(bytes);
        return true;
    }

    private bool Has(int count)
    {
        if (_span.Length - Position >= count)
            return true;
        Needed = Position + count;
        return false;
    }
}
