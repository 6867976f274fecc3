using Godwit.Linux;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Channels;

/// <summary>
/// Reads the elements of a stream off a channel. Elements point into <see cref="Buffer"/>, which <see cref="Fill"/> moves: who keeps
/// bytes over a call of it must have copied them.
/// </summary>
public sealed class StreamInput
{
    private const int BufferLength = 1 << 20;

    /// <summary>Bytes that <see cref="FillMore"/> brings together at least.</summary>
    public const int MaxBody = BufferLength - 1;

    private readonly Channel _channel;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
    private int _start;
    private int _end;
    private int _needed = 1;
    private bool _final;

    /// <param name="read">What was read off the channel already.</param>
    public StreamInput(Channel channel, MigrationStreamReader reader, ReadOnlySpan<byte> read = default)
    {
        _channel = channel;
        Reader = reader;
        PutBack(read);
        BytesRead = read.Length;
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
        if (element.Kind == StreamElementKind.MappedRamData)
            StepOver(element.Length);
        else
            _start += (int)element.Length;
        return true;
    }

    /// <summary>Goes on in the file behind what is too long to be read for nothing.</summary>
    private void StepOver(long length)
    {
        var here = (int)Math.Min(length, _end - _start);
        _start += here;
        if (here == length)
            return;
        _channel.Position += length - here;
        _start = _end = 0;
    }

    /// <summary>Takes every byte that is in the buffer, past the reader.</summary>
    public ReadOnlySpan<byte> TakeRaw()
    {
        var bytes = _buffer.AsSpan(_start, _end - _start);
        _start = _end;
        return bytes;
    }

    /// <summary>Whether <see cref="Read(ScatterBuffer)"/> may be called: nothing is in the buffer or missing of it, and the channel can.</summary>
    public bool CanScatter => _start == _end && !_final && _channel.CanScatter;

    /// <summary>Bytes in the buffer that aren't taken yet.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Takes the body of the section whose header was read last, off the front of <see cref="Unread"/>.</summary>
    /// <param name="ended">False: more of the body follows.</param>
    public void SkipBody(int length, bool ended = true)
    {
        Reader.SkipBody(length, ended);
        _start += length;
    }

    /// <summary>Takes the payload that ends the last element, which with <see cref="StreamReadMode.HeadersOnly"/> may not be in the buffer:
    /// what isn't there goes from the channel to where it belongs, uncopied. To be called before anything else.</summary>
    /// <param name="destination">As long as the payload.</param>
    /// <exception cref="Wire.MigrationStreamException">The stream ends within it.</exception>
    public void ReadPayload(Span<byte> destination)
    {
        var here = Math.Min(destination.Length, _end - (_start - destination.Length));
        _buffer.AsSpan(_start - destination.Length, here).CopyTo(destination);
        if (here == destination.Length)
            return;
        ReadExactly(destination[here..]);
        _start = _end = 0;
    }

    /// <summary>Drops what of the last element isn't in the buffer. To be called before anything else.</summary>
    /// <exception cref="Wire.MigrationStreamException">The stream ends within it.</exception>
    public void SkipPayload()
    {
        var missing = _start - _end;
        if (missing <= 0)
            return;
        for (; missing > 0; missing -= BufferLength)
            ReadExactly(_buffer.AsSpan(0, Math.Min(missing, BufferLength)));
        _start = _end = 0;
    }

    /// <summary>Waits for bytes and reads some to where they are thought to belong, past the buffer, which must be empty.</summary>
    /// <returns>Bytes read; 0 where the other side has closed.</returns>
    public int Read(ScatterBuffer places)
    {
        _start = _end = 0;
        var count = _channel.Read(places);
        BytesRead += count;
        _final = count == 0;
        return count;
    }

    /// <summary>Has the reader take an element that was read past the buffer, whose payload follows where it belongs.</summary>
    /// <param name="header">The whole element but for its payload.</param>
    /// <exception cref="Wire.MigrationStreamException">The stream is malformed.</exception>
    public void Step(ReadOnlySpan<byte> header)
    {
        if (!Reader.Read(header, final: false, out _, out _))
            throw new InvalidOperationException("no whole element");
    }

    /// <summary>Appends bytes that were read past the buffer and are to be taken from it.</summary>
    public void PutBack(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Reads past the buffer, which must be empty.</summary>
    /// <exception cref="Wire.MigrationStreamException">The stream ends within it.</exception>
    public void ReadExactly(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var count = _channel.Read(destination);
            if (count == 0)
            {
                var offset = Reader.Offset - destination.Length;
                throw new Wire.MigrationStreamException(offset, Reader.Section?.Label ?? "stream", "payload", "the stream ends here, within a page or a description");
            }

            BytesRead += count;
            destination = destination[count..];
        }
    }

    /// <summary>Waits for more bytes than are in <see cref="Unread"/>, and makes room for them.</summary>
    /// <returns>False where the other side has closed.</returns>
    public bool FillMore()
    {
        _needed = _end - _start + 1;
        return Fill();
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
