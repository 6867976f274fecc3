using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Linux;

/// <summary>What can be known of an open file, and another descriptor for it.</summary>
public static partial class Descriptor
{
    public const int ReadOnly = 0, WriteOnly = 1, AccessMode = 3, Create = 0x40;

    private const int DuplicateCloseOnExec = 1030, GetDescriptorFlags = 1, GetStatusFlags = 3;
    private const int CloseOnExec = 1;

    /// <summary>How it was opened: access mode, <see cref="DirectFile.Flag"/> and others.</summary>
    /// <exception cref="SystemCallException">It isn't open.</exception>
    public static int StatusFlags(SafeHandle descriptor)
    {
        var flags = fcntl(descriptor, GetStatusFlags, 0);
        return flags >= 0 ? flags : throw SystemCallException.Last("fcntl", "F_GETFL");
    }

    /// <summary>Another descriptor for the same open file.</summary>
    /// <exception cref="SystemCallException">There are too many.</exception>
    public static SafeFileHandle Duplicate(SafeHandle descriptor)
    {
        var number = fcntl(descriptor, DuplicateCloseOnExec, 0);
        return number >= 0 ? new SafeFileHandle(number, ownsHandle: true) : throw SystemCallException.Last("fcntl", "F_DUPFD_CLOEXEC");
    }

    /// <summary>Whether a descriptor was open when this process began: what it opens itself doesn't go on to others.</summary>
    public static bool IsInherited(int number)
    {
        using var descriptor = new SafeFileHandle(number, ownsHandle: false);
        var flags = fcntl(descriptor, GetDescriptorFlags, 0);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeHandle descriptor, int command, int argument);
}
