using Godwit.Wire.Stream;

namespace Godwit.Migration.Channels;

/// <summary>
/// Reads the elements of a stream off a channel. Elements point into <see cref="Buffer"/>, which <see cref="Fill"/> moves: who keeps
/// bytes over a call of it must have copied them.
/// </summary>
public sealed class StreamInput
{
    private const int BufferLength = 1 << 20;

    private readonly Channel _channel;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
    private int _start;
    private int _end;
    private int _needed = 1;
    private bool _final;

    public StreamInput(Channel channel, MigrationStreamReader reader)
    {
        _channel = channel;
        Reader = reader;
    }

    public MigrationStreamReader Reader { get; }

    public ReadOnlySpan<byte> Buffer => _buffer.AsSpan(0, _end);

    /// <summary>Where in <see cref="Buffer"/> the last element stands.</summary>
    public int ElementStart { get; private set; }

    /// <summary>Bytes that came over the channel.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The next element, if it is in the buffer.</summary>
    /// <exception cref="Wire.MigrationStreamException">The stream is malformed.</exception>
    public bool TryNext(out StreamElement element)
    {
        if (!Reader.Read(_buffer.AsSpan(_start, _end - _start), _final, out element, out _needed))
            return false;
        ElementStart = _start;
        _start += (int)element.Length;
        return true;
    }

    /// <summary>Takes every byte that is in the buffer, past the reader.</summary>
    public ReadOnlySpan<byte> TakeRaw()
    {
        var bytes = _buffer.AsSpan(_start, _end - _start);
        _start = _end;
        return bytes;
    }

    /// <summary>Waits for more bytes.</summary>
    /// <returns>False where the other side has closed.</returns>
    public bool Fill()
    {
        if (_final)
            return false;
        if (_start == _end || _buffer.Length - _start < Math.Max(_needed, MigrationStreamReader.MaxElementLength))
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        var count = _channel.Read(_buffer.AsSpan(_end));
        _end += count;
        BytesRead += count;
        _final = count == 0;
        return count > 0;
    }
}
