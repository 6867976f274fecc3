using System.Buffers.Binary;
using System.Text;

namespace Godwit.Wire;

/// <summary>Writes big-endian fields into a span that the caller has made large enough.</summary>
public ref struct WireWriter
{
    private readonly Span<byte> _span;

    public WireWriter(Span<byte> span)
    {
        _span = span;
    }

    /// <summary>Bytes written so far.</summary>
    public int Position { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _span[..Position];

    public void Byte(byte value) => _span[Position++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_span[Position..], value);
        Position += 2;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_span[Position..], value);
        Position += 4;
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_span[Position..], value);
        Position += 8;
    }

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[Position..]);
        Position += bytes.Length;
    }

    /// <summary>A byte of length and as many bytes of UTF-8.</summary>
    /// <exception cref="ArgumentException">The text is longer than 255 bytes.</exception>
    public void Counted(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        if (length > byte.MaxValue)
            throw new ArgumentException($"'{text}' is longer than the 255 bytes an idstr can have", nameof(text));
        Byte((byte)length);
        Position += Encoding.UTF8.GetBytes(text, _span[Position..]);
    }
}
