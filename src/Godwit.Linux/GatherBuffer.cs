using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>Bytes that lie apart and are written together by one system call (writev): small ones are copied into a scratch area, large ones
/// stay where they are. For one thread.</summary>
public sealed unsafe partial class GatherBuffer : IDisposable
{
    /// <summary>IOV_MAX of Linux.</summary>
    private const int MaxParts = 1024;
    private const int ScratchLength = 1 << 18;
    private const int Interrupted = 4, WouldBlock = 11;

    private IoVector* _parts;
    private byte* _scratch;
    private int _count;
    private int _used;

    public GatherBuffer()
    {
        _parts = (IoVector*)NativeMemory.Alloc(MaxParts, (nuint)sizeof(IoVector));
        _scratch = (byte*)NativeMemory.Alloc(ScratchLength);
    }

    /// <summary>In bytes.</summary>
    public long Length { get; private set; }

    /// <summary>The spans to write, in order.</summary>
    public int Count => _count;

    public ReadOnlySpan<byte> this[int part]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)part, (uint)_count, nameof(part));
            // Sound: whoever added the part keeps it mapped until it is written.
            return new ReadOnlySpan<byte>(_parts[part].Address, (int)_parts[part].Length);
        }
    }

    /// <summary>Whether so many bytes can be copied, and a part be added, before it must be written.</summary>
    public bool HasRoom(int bytes) => _count <= MaxParts - 2 && bytes <= ScratchLength - _used;

    /// <summary>Where to put up to that many bytes; <see cref="Copied"/> says how many it were. There must be room.</summary>
    public Span<byte> Scratch(int bytes)
    {
        ObjectDisposedException.ThrowIf(_scratch == null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(ScratchLength - _used), nameof(bytes));
        // Sound: inside the scratch area, which lives as long as this.
        return new Span<byte>(_scratch + _used, bytes);
    }

    public void Copied(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(ScratchLength - _used), nameof(bytes));
        Add(_scratch + _used, bytes);
        _used += bytes;
    }

    /// <summary>Adds bytes that stay where they are until they are written.</summary>
    public void Add(byte* address, int length)
    {
        ObjectDisposedException.ThrowIf(_parts == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length += length;
        if (_count > 0 && _parts[_count - 1].Address + _parts[_count - 1].Length == address)
        {
            _parts[_count - 1].Length += (nuint)length;
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_count, MaxParts, nameof(length));
        _parts[_count++] = new IoVector { Address = address, Length = (nuint)length };
    }

    public void Clear()
    {
        _count = 0;
        _used = 0;
        Length = 0;
    }

    /// <summary>Writes all of it to a descriptor, and waits as long as that takes.</summary>
    /// <param name="file">A socket, a pipe, or a file.</param>
    /// <param name="offset">Where in a file; negative: where the descriptor stands.</param>
    public void WriteTo(SafeHandle file, long offset, string name)
    {
        var first = 0;
        while (first < _count)
        {
            var written = offset < 0 ? writev(file, _parts + first, _count - first) : pwritev(file, _parts + first, _count - first, offset);
            if (written < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case WouldBlock:
                        Polling.Wait(file, Polling.Writable);
                        continue;
                    default:
                        throw SystemCallException.Last("writev", name);
                }
            }

            offset += offset < 0 ? 0 : written;
            var rest = (nuint)written;
            while (first < _count && rest >= _parts[first].Length)
                rest -= _parts[first++].Length;
            if (first < _count)
            {
                _parts[first].Address += rest;
                _parts[first].Length -= rest;
            }
        }
    }

    /// <summary>Writes all of it to a socket from where it lies: the memory is read when it leaves, which may be later (MSG_ZEROCOPY, Linux 4.14). Nothing may have been copied
    /// into this.</summary>
    /// <param name="zeroCopy">The socket's; what is under way is noted there.</param>
    public void WriteTo(ZeroCopySocket zeroCopy, string name)
    {
        var first = 0;
        while (first < _count)
        {
            var written = zeroCopy.Send(_parts + first, _count - first, name);
            var rest = (nuint)written;
            while (first < _count && rest >= _parts[first].Length)
                rest -= _parts[first++].Length;
            if (first < _count)
            {
                _parts[first].Address += rest;
                _parts[first].Length -= rest;
            }
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_parts);
        NativeMemory.Free(_scratch);
        _parts = null;
        _scratch = null;
        Clear();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint writev(SafeHandle file, IoVector* parts, int count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwritev(SafeHandle file, IoVector* parts, int count, long offset);
}
