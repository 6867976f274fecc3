namespace Godwit.Machine.Virt.Loading;

/// <summary>Files that go into guest memory.</summary>
internal static class GuestFile
{
    /// <summary>Reads a file whole.</summary>
    /// <param name="what">What it is to the machine, such as <c>kernel</c>.</param>
    /// <param name="limit">Bytes it may have.</param>
    public static byte[] Read(string what, string path, ulong limit)
    {
        try
        {
            if (Directory.Exists(path))
                throw new LoadException($"{what} '{path}' is a folder");
            using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(file);
            if (length == 0)
                throw new LoadException($"{what} '{path}' is empty");
            if ((ulong)length > limit || length > Array.MaxLength)
                throw new LoadException($"{what} '{path}' has {length} bytes, more than the {limit} that there is room for: give the machine more memory with -m");
            var bytes = new byte[length];
            var read = 0;
            while (read < bytes.Length)
            {
                var count = RandomAccess.Read(file, bytes.AsSpan(read), read);
                if (count == 0)
                    throw new LoadException($"{what} '{path}' became shorter while it was read");
                read += count;
            }

            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LoadException($"{what} '{path}' does not exist", e);
        }
        catch (Exception e) when (e is (IOException and not LoadException) or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new LoadException($"{what} '{path}' can't be read: {e.Message}", e);
        }
    }
}
