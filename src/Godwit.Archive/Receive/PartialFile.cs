using Microsoft.Win32.SafeHandles;

namespace Godwit.Archive.Receive;

/// <summary>A file under a name of its own until it is complete; what isn't committed is deleted.</summary>
internal sealed class PartialFile : IDisposable
{
    public const string Suffix = ".partial";

    private readonly string _path;
    private readonly string _final;
    private bool _committed;

    /// <exception cref="IOException">It can't be created.</exception>
    public PartialFile(string final)
    {
        _final = Path.GetFullPath(final);
        _path = _final + Suffix;
        if (Directory.Exists(_final))
            throw new IOException($"'{final}' is a directory");
        try
        {
            Handle = File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public SafeFileHandle Handle { get; }

    /// <summary>Bytes appended so far.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(Handle, bytes, Length);
        Length += bytes.Length;
    }

    public void WriteAt(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(Handle, bytes, offset);

    public void ReadAt(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(Handle, bytes, offset);
            if (count == 0)
                throw new IOException($"'{_path}' was truncated by somebody else");
            offset += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Gives the file its final name, over one that had it before.</summary>
    /// <param name="sync">Wait until it is on the disk.</param>
    public void Commit(bool sync)
    {
        if (sync)
            RandomAccess.FlushToDisk(Handle);
        File.Move(_path, _final, overwrite: true);
        _committed = true;
    }

    /// <summary>Takes back <see cref="Commit"/>.</summary>
    public void Withdraw() => File.Delete(_final);

    public void Dispose()
    {
        Handle.Dispose();
        if (!_committed)
            File.Delete(_path);
    }
}
