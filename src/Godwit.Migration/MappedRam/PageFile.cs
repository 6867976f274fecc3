using Godwit.Linux;
using Godwit.Migration.Channels;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.MappedRam;

/// <summary>A mapped-ram file, opened once more for its pages alone.</summary>
internal static class PageFile
{
    /// <param name="direct">Past the host's page cache.</param>
    /// <exception cref="IOException">It can't be opened so.</exception>
    public static SafeFileHandle Open(MigrationUri uri, bool write, bool direct)
    {
        if (DescriptorSets.Has(uri.Path))
            return DescriptorSets.Open(uri.Path, (write ? Linux.Descriptor.WriteOnly : Linux.Descriptor.ReadOnly) | (direct ? DirectFile.Flag : 0));
        try
        {
            if (direct)
                return DirectFile.Open(uri.Path, write);
            return File.OpenHandle(uri.Path, FileMode.Open, write ? FileAccess.Write : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Could not open '{uri.Path}': {e.Message}", e);
        }
    }
}
