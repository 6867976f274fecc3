using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Linux;

/// <summary>An event to wait for with a timeout in nanoseconds, which .NET's own round to milliseconds (eventfd and ppoll).</summary>
public sealed unsafe partial class Alarm : IDisposable
{
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    private const short Readable = 1;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly SafeFileHandle _event;

    public Alarm()
    {
        _event = eventfd(0, CloseOnExec | NonBlocking);
        if (_event.IsInvalid)
            throw SystemCallException.Last("eventfd", "");
    }

    /// <summary>Wakes the one who waits, or who waits next.</summary>
    public void Set()
    {
        ulong one = 1;
        _ = write(_event, &one, sizeof(ulong));
    }

    /// <summary>Until <see cref="Set"/>, or that many nanoseconds; negative: without end.</summary>
    public void Wait(long nanoseconds)
    {
        // struct pollfd: int fd, short events, short revents. struct timespec: two longs.
        var timeout = stackalloc long[] { nanoseconds / NanosecondsPerSecond, nanoseconds % NanosecondsPerSecond };
        var added = false;
        _event.DangerousAddRef(ref added);
        try
        {
            var poll = stackalloc int[] { (int)_event.DangerousGetHandle(), Readable };
            // Sound: both structures are on this stack for the length of the call, and the descriptor is kept open.
            _ = ppoll(poll, 1, nanoseconds < 0 ? null : timeout, null);
            ulong count;
            _ = read(_event, &count, sizeof(ulong));
        }
        finally
        {
            if (added)
                _event.DangerousRelease();
        }
    }

    public void Dispose() => _event.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial nint write(SafeFileHandle file, void* bytes, nuint count);

    [LibraryImport("libc")]
    private static partial nint read(SafeFileHandle file, void* bytes, nuint count);

    [LibraryImport("libc")]
    private static partial int ppoll(int* descriptors, nuint count, long* timeout, void* signals);
}
