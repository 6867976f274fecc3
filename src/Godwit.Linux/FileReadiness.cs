using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>Whether a file could be written just now without waiting (poll).</summary>
public static unsafe partial class FileReadiness
{
    private const short Writable = 4;

    /// <param name="file">A descriptor of this process.</param>
    /// <returns>True for a pipe or terminal with room for at least a few bytes, for any ordinary file, and where a write would fail at once.</returns>
    public static bool CanWrite(int file)
    {
        // struct pollfd: int fd, short events, short revents.
        var poll = stackalloc int[] { file, Writable };
        // Sound: the structure is on this stack for the length of the call.
        return FileReadiness.poll(poll, 1, 0) != 0;
    }

    [LibraryImport("libc")]
    private static partial int poll(int* descriptors, nuint count, int milliseconds);
}
