using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>Places that lie apart and are filled in order by one system call (readv), uncopied. For one thread.</summary>
public sealed unsafe partial class ScatterBuffer : IDisposable
{
    /// <summary>IOV_MAX of Linux.</summary>
    public const int MaxParts = 1024;

    private const int Interrupted = 4, WouldBlock = 11;
    private const short Readable = 1;

    private Part* _parts;
    private int _count;

    public ScatterBuffer()
    {
        _parts = (Part*)NativeMemory.Alloc(MaxParts, (nuint)sizeof(Part));
    }

    /// <summary>Adds a place; whoever adds it keeps it mapped until <see cref="Clear"/>.</summary>
    public void Add(byte* address, int length)
    {
        ObjectDisposedException.ThrowIf(_parts == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_count, MaxParts, nameof(length));
        _parts[_count++] = new Part { Address = address, Length = (nuint)length };
    }

    public void Clear() => _count = 0;

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
                    WaitReadable(file);
                    continue;
                default:
                    throw SystemCallException.Last("readv", name);
            }
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_parts);
        _parts = null;
        _count = 0;
    }

    private static void WaitReadable(SafeHandle file)
    {
        var added = false;
        file.DangerousAddRef(ref added);
        try
        {
            // struct pollfd: int fd, short events, short revents.
            var poll = stackalloc int[] { (int)file.DangerousGetHandle(), Readable };
            _ = ppoll(poll, 1, null, null);
        }
        finally
        {
            if (added)
                file.DangerousRelease();
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readv(SafeHandle file, Part* parts, int count);

    [LibraryImport("libc")]
    private static partial int ppoll(int* descriptors, nuint count, void* timeout, void* signals);

    /// <summary>struct iovec.</summary>
    private struct Part
    {
        public byte* Address;
        public nuint Length;
    }
}
