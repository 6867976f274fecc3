using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>Waits for a descriptor that doesn't block by itself (ppoll).</summary>
internal static unsafe partial class Polling
{
    public const short Readable = 1, Writable = 4, Error = 8;

    /// <summary>Returns when one of the events, or an error, is there; maybe sooner.</summary>
    public static void Wait(SafeHandle descriptor, short events)
    {
        var added = false;
        descriptor.DangerousAddRef(ref added);
        try
        {
            // struct pollfd: int fd, short events, short revents. Sound: it is on this stack for as long as the call.
            var poll = stackalloc int[] { (int)descriptor.DangerousGetHandle(), events };
            _ = ppoll(poll, 1, null, null);
        }
        finally
        {
            if (added)
                descriptor.DangerousRelease();
        }
    }

    [LibraryImport("libc")]
    private static partial int ppoll(int* descriptors, nuint count, void* timeout, void* signals);
}
