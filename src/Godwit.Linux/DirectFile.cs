using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Linux;

/// <summary>Files opened so that what is read and written goes past the host's page cache (O_DIRECT): memory, offset and length must be whole blocks of the file system's.</summary>
public static partial class DirectFile
{
    private const int ReadOnly = 0, WriteOnly = 1, CloseOnExec = 0x80000;

    /// <summary>O_DIRECT, which isn't the same number everywhere.</summary>
    public static int Flag => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;

    /// <param name="write">For writing, or for reading.</param>
    /// <exception cref="SystemCallException">It can't be opened, or its file system can't do without its cache.</exception>
    public static SafeFileHandle Open(string path, bool write)
    {
        var file = open(path, (write ? WriteOnly : ReadOnly) | CloseOnExec | Flag);
        return file.IsInvalid ? throw SystemCallException.Last("open with O_DIRECT", path) : file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);
}
