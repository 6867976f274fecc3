using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>Places that lie apart and are filled in order by one system call (readv, recvmsg), uncopied. For one thread.</summary>
public sealed unsafe partial class ScatterBuffer : IDisposable
{
    /// <summary>IOV_MAX of Linux.</summary>
    public const int MaxParts = 1024;

    private const int Interrupted = 4, WouldBlock = 11;
    private const int WaitAll = 0x100;

    private IoVector* _parts;
    private int _count;

    public ScatterBuffer()
    {
        _parts = (IoVector*)NativeMemory.Alloc(MaxParts, (nuint)sizeof(IoVector));
    }

    /// <summary>In bytes.</summary>
    public long Length { get; private set; }

    public int Count => _count;

    public Span<byte> this[int part]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)part, (uint)_count, nameof(part));
            // Sound: whoever added the place keeps it mapped until it is cleared.
            return new Span<byte>(_parts[part].Address, (int)_parts[part].Length);
        }
    }

    /// <summary>Adds a place; whoever adds it keeps it mapped until <see cref="Clear"/>.</summary>
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
        Length = 0;
    }

    /// <summary>Waits for bytes and fills the places with as many as there are.</summary>
    /// <returns>Bytes read; 0 at the end.</returns>
    /// <exception cref="SystemCallException">It can't be read.</exception>
    public int ReadFrom(SafeHandle file, string name)
    {
        while (true)
        {
            // Sound: the places are the adder's to keep, the list is ours, and it has so many entries.
            var count = readv(file, _parts, _count);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                case WouldBlock:
                    Polling.Wait(file, Polling.Readable);
                    continue;
                default:
                    throw SystemCallException.Last("readv", name);
            }
        }
    }

    /// <summary>Waits until all places of it are filled from a socket. They are used up by it: only <see cref="Clear"/> may follow.</summary>
    /// <returns>Bytes read; less than <see cref="Length"/> where the other side has closed.</returns>
    /// <exception cref="SystemCallException">It can't be read.</exception>
    public long ReceiveAllFrom(SafeHandle socket, string name)
    {
        var total = 0L;
        var first = 0;
        while (first < _count)
        {
            var message = new SocketMessage { Parts = _parts + first, Count = (nuint)(_count - first) };
            // Sound: as in ReadFrom.
            var count = recvmsg(socket, &message, WaitAll);
            if (count == 0)
                return total;
            if (count < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case WouldBlock:
                        Polling.Wait(socket, Polling.Readable);
                        continue;
                    default:
                        throw SystemCallException.Last("recvmsg", name);
                }
            }

            total += count;
            var rest = (nuint)count;
            while (first < _count && rest >= _parts[first].Length)
                rest -= _parts[first++].Length;
            if (first < _count)
            {
                _parts[first].Address += rest;
                _parts[first].Length -= rest;
            }
        }

        return total;
    }

    public void Dispose()
    {
        NativeMemory.Free(_parts);
        _parts = null;
        Clear();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readv(SafeHandle file, IoVector* parts, int count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeHandle socket, SocketMessage* message, int flags);
}
