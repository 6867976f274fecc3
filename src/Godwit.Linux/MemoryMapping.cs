using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Linux;

/// <summary>Memory of this process: its own alone, or with a file behind it that others may map too (a memfd, or a file of the host's).</summary>
public sealed unsafe partial class MemoryMapping : IDisposable
{
    private const int ProtectionRead = 1, ProtectionWrite = 2;
    private const int MapShared = 1, MapPrivate = 2, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    private const uint MemfdCloseOnExec = 1;
    private const int OpenReadWrite = 2, OpenCreate = 0x40, OpenCloseOnExec = 0x80000;

    private const int AdviceHugePage = 14, AdvicePopulateWrite = 23;
    private const int SeekData = 3, NoSuchDeviceOrAddress = 6;

    /// <summary>A host maps as many bytes with the one that is read, where they are in its cache (fault_around_bytes).</summary>
    private const ulong MappedAround = 1 << 16;

    private byte* _address;

    private MemoryMapping(SafeFileHandle? file, byte* address, ulong length, bool wasEmpty, bool isShared)
    {
        File = file;
        WasEmpty = wasEmpty;
        IsShared = isShared;
        _address = address;
        Length = length;
    }

    /// <summary>The file behind it; null for memory of this process alone.</summary>
    public SafeFileHandle? File { get; }

    /// <summary>Whether whoever maps the file sees the same memory.</summary>
    public bool IsShared { get; }

    /// <summary>In bytes.</summary>
    public ulong Length { get; }

    /// <summary>Whether all of it was zero when it was mapped, known without a look.</summary>
    public bool WasEmpty { get; }

    /// <summary>Where it starts; valid until it is disposed.</summary>
    public byte* Address => _address;

    /// <summary>Memory of this process alone, of huge pages where the host gives them on advice.</summary>
    /// <param name="length">In bytes, more than 0.</param>
    public static MemoryMapping CreatePrivate(string name, ulong length)
    {
        var none = new SafeFileHandle(-1, ownsHandle: false);
        var address = mmap(null, (nuint)length, ProtectionRead | ProtectionWrite, MapPrivate | MapAnonymous | MapNoReserve, none, 0);
        if ((nint)address == -1)
            throw SystemCallException.Last("mmap", name);
        // Where it is refused, small pages do as well.
        _ = madvise(address, (nuint)length, AdviceHugePage);
        return new MemoryMapping(null, address, length, wasEmpty: true, isShared: false);
    }

    /// <summary>Memory that others may map, without a name in any file system.</summary>
    /// <param name="name">Shown in /proc/PID/maps.</param>
    /// <param name="length">In bytes, more than 0.</param>
    public static MemoryMapping CreateMemfd(string name, ulong length)
    {
        var file = memfd_create(name, MemfdCloseOnExec);
        if (file.IsInvalid)
            throw SystemCallException.Last("memfd_create", name);
        return Map(file, name, length, grow: true, share: true);
    }

    /// <summary>A file of the host's, made if it isn't there and grown if it is too short.</summary>
    /// <param name="path">The file, or a folder: then an unnamed file in it.</param>
    /// <param name="share">False: what the guest writes doesn't reach the file.</param>
    /// <param name="length">In bytes, more than 0.</param>
    public static MemoryMapping OpenFile(string path, ulong length, bool share)
    {
        var isUnnamed = Directory.Exists(path);
        if (isUnnamed)
            path = Path.Combine(path, $"godwit-memory-{Guid.NewGuid():N}");
        var file = open(path, OpenReadWrite | OpenCreate | OpenCloseOnExec, 0b110_000_000);
        if (file.IsInvalid)
            throw SystemCallException.Last("open", path);
        if (isUnnamed)
            System.IO.File.Delete(path);
        return Map(file, path, length, grow: (ulong)RandomAccess.GetLength(file) < length, share);
    }

    /// <summary>Has the kernel put pages behind a range, so that whoever writes there doesn't wait for each (madvise,
    /// <c>MADV_POPULATE_WRITE</c>, Linux 5.14). What stands there stays; others may write at the same time.</summary>
    /// <returns>False where it can't be done.</returns>
    public bool TryPopulate(ulong offset, ulong length)
    {
        if (_address == null || offset > Length || length > Length - offset)
            return false;
        return madvise(_address + offset, (nuint)length, AdvicePopulateWrite) == 0;
    }

    /// <summary>Has the host map what memory there is behind a range, for reading. Shared memory is left as it is: holes of it would get memory.</summary>
    /// <returns>False where that can't be done.</returns>
    public bool TryMap(ulong offset, ulong length)
    {
        if (_address == null || offset > Length || length > Length - offset)
            return false;
        // By reading, as MADV_POPULATE_READ asks for every single page. Sound: the range is inside the mapping, and all of it may be read.
        for (var at = offset; !IsShared && at < offset + length; at += MappedAround)
            Volatile.Read(ref _address[at]);
        return true;
    }

    /// <summary>Where the next bytes are that memory stands behind; before them all is zero, and reading it would only cost memory.</summary>
    /// <returns>In bytes from the start, or <see cref="Length"/>; <paramref name="offset"/> where it isn't known.</returns>
    public ulong NextData(ulong offset)
    {
        if (!IsShared || File is null || offset >= Length)
            return offset;
        var data = lseek(File, (long)offset, SeekData);
        if (data < 0)
            return Marshal.GetLastPInvokeError() == NoSuchDeviceOrAddress ? Length : offset;
        return Math.Clamp((ulong)data, offset, Length);
    }

    public void Dispose()
    {
        if (_address == null)
            return;
        _ = munmap(_address, (nuint)Length);
        _address = null;
        File?.Dispose();
    }

    private static MemoryMapping Map(SafeFileHandle file, string name, ulong length, bool grow, bool share)
    {
        var wasEmpty = grow && RandomAccess.GetLength(file) == 0;
        if (grow && ftruncate(file, (long)length) != 0)
        {
            var error = SystemCallException.Last("ftruncate", name);
            file.Dispose();
            throw error;
        }

        var address = mmap(null, (nuint)length, ProtectionRead | ProtectionWrite, (share ? MapShared : MapPrivate) | MapNoReserve, file, 0);
        if ((nint)address == -1)
        {
            var error = SystemCallException.Last("mmap", name);
            file.Dispose();
            throw error;
        }

        return new MemoryMapping(file, address, length, wasEmpty, share);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(SafeFileHandle file, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);
}
