using System.Buffers;

namespace Godwit.Wire.VmState;

/// <summary>Where a device is saved to, and how far.</summary>
internal sealed class VmStateOutput(IBufferWriter<byte> body)
{
    internal const byte SubsectionMark = 0x05;

    /// <summary>Bytes written so far.</summary>
    public long Position { get; private set; }

    public Span<byte> Take(int length) => body.GetSpan(length)[..length];

    public void Advance(int length)
    {
        body.Advance(length);
        Position += length;
    }

    public void SubsectionHeader(string name, uint version)
    {
        var writer = new WireWriter(Take(1 + 1 + name.Length + 4));
        writer.Byte(SubsectionMark);
        writer.Counted(name);
        writer.UInt32(version);
        Advance(writer.Position);
    }
}
