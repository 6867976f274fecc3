using Microsoft.Win32.SafeHandles;

namespace Godwit.Archive;

/// <summary>A file that is read at any place through one window of it.</summary>
public sealed class StreamFile : IDisposable
{
    private const int WindowLength = 1 << 18;

    /// <summary>Who reads on and on gets larger windows, read by two threads: a copy out of the page cache is what costs.</summary>
    private const int SequentialLength = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly bool _owned;
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(WindowLength);
    private long _start;
    private int _filled;

    private StreamFile(SafeFileHandle handle, bool owned, long start = 0)
    {
        _handle = handle;
        _owned = owned;
        Start = start;
        Refresh();
    }

    /// <summary>Bytes in the file when it was opened or last refreshed, from the start of the stream on.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes from the start of the file to the start of the stream, which all offsets here count from.</summary>
    public long Start { get; }

    /// <param name="start">Where in the file the stream begins.</param>
    /// <exception cref="IOException">It can't be opened.</exception>
    public static StreamFile Open(string path, long start = 0)
    {
        try
        {
            return new StreamFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), owned: true, start);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Reads a file that is still being written; call <see cref="Refresh"/> to see what was appended.</summary>
    public static StreamFile Over(SafeFileHandle handle) => new(handle, owned: false);

    public void Refresh() => Length = Math.Max(0, RandomAccess.GetLength(_handle) - Start);

    /// <summary>The bytes from <paramref name="offset"/> on, as many as are at hand.</summary>
    /// <param name="minimum">At least so many bytes, unless the file ends before.</param>
    public ReadOnlySpan<byte> Window(long offset, int minimum)
    {
        var skip = offset - _start;
        var enough = Math.Min(minimum, Math.Max(0, Length - offset));
        if (skip < 0 || skip + enough > _filled)
        {
            Fill(offset, minimum);
            if (_filled < enough)
                Length = offset + _filled;
            skip = 0;
        }

        return _buffer.AsSpan((int)skip, _filled - (int)skip);
    }

    private void Fill(long offset, int minimum)
    {
        var goesOn = _filled >= WindowLength && offset >= _start + (_filled / 2) && offset <= _start + _filled + WindowLength;
        var length = (int)Math.Min(Math.Max(minimum, goesOn ? SequentialLength : WindowLength), Math.Max(minimum, Length - offset));
        if (length > _buffer.Length)
            _buffer = GC.AllocateUninitializedArray<byte>(length);
        _start = offset;
        if (length < SequentialLength)
        {
            _filled = Read(offset, _buffer.AsSpan(0, length));
            return;
        }

        var half = length / 2;
        var second = Task.Run(() => Read(offset + half, _buffer.AsSpan(half, length - half)));
        _filled = Read(offset, _buffer.AsSpan(0, half));
        var rest = second.GetAwaiter().GetResult();
        if (_filled == half)
            _filled += rest;
    }

    /// <summary>Copies bytes, as many as there are.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        var total = 0;
        int count;
        while (total < destination.Length && (count = RandomAccess.Read(_handle, destination[total..], Start + offset + total)) > 0)
            total += count;
        return total;
    }

    public void Dispose()
    {
        if (_owned)
            _handle.Dispose();
    }
}
