using Godwit.Linux;
using Godwit.Migration.Channels;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.MappedRam;

/// <summary>A mapped-ram file, opened once more for its pages alone.</summary>
internal static class PageFile
{
    /// <param name="file">The file that is open already: another may have its name by now.</param>
    /// <param name="direct">Past the host's page cache.</param>
    /// <exception cref="IOException">It can't be opened so.</exception>
    public static SafeFileHandle Open(SafeFileHandle file, MigrationUri uri, bool write, bool direct)
    {
        if (DescriptorSets.Has(uri.Path))
            return DescriptorSets.Open(uri.Path, (write ? Linux.Descriptor.WriteOnly : Linux.Descriptor.ReadOnly) | (direct ? DirectFile.Flag : 0));
        var path = $"/proc/self/fd/{DescriptorSets.Number(file)}";
        try
        {
            if (direct)
                return DirectFile.Open(path, write);
            return File.OpenHandle(path, FileMode.Open, write ? FileAccess.Write : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Could not open '{uri.Path}' once more: {e.Message}", e);
        }
    }

    /// <summary>Waits until all is read.</summary>
    /// <returns>Bytes read; less where the file ends.</returns>
    /// <exception cref="IOException">It can't be read.</exception>
    public static int ReadAll(SafeFileHandle file, Span<byte> into, long at)
    {
        var total = 0;
        while (total < into.Length && RandomAccess.Read(file, into[total..], at + total) is > 0 and var count)
            total += count;
        return total;
    }

    /// <exception cref="IOException">It has no places: a pipe hasn't.</exception>
    public static void RequirePlaces(SafeFileHandle file, string name)
    {
        try
        {
            RandomAccess.GetLength(file);
        }
        catch (NotSupportedException e)
        {
            throw new IOException($"{name}: mapped-ram needs a file in which every byte has a place", e);
        }
    }
}
