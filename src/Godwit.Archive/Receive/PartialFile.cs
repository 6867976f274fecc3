using Microsoft.Win32.SafeHandles;

namespace Godwit.Archive.Receive;

/// <summary>A file under a name of its own until it is complete; what isn't committed is deleted.</summary>
internal sealed class PartialFile : IDisposable
{
    public const string Suffix = ".partial";

    private readonly string _path;
    private readonly string _final;
    private readonly string _older;
    private readonly FileStream _stream;
    private bool _committed;
    private bool _moved;

    /// <exception cref="IOException">It can't be created.</exception>
    public PartialFile(string final)
    {
        _final = final.Length == 0 ? "" : Path.GetFullPath(final);
        _path = _final + Suffix;
        _older = _final + ".older" + Suffix;
        if (final.Length == 0 || Directory.Exists(_final) || IsDevice(_final))
            throw new IOException($"'{final}' is not a file that can be replaced");
        try
        {
            // Locked: two receives to one name would write each other's pages. A guest's memory is for its keeper's eyes, as QEMU has it.
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            _stream = new FileStream(_path, options);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public SafeFileHandle Handle => _stream.SafeFileHandle;

    /// <summary>Whether a file is one that the making of another would overwrite.</summary>
    public static bool IsWorkOf(string path, string final) =>
        path.EndsWith(Suffix, StringComparison.Ordinal) && Path.GetFullPath(path).StartsWith(Path.GetFullPath(final) + ".", StringComparison.Ordinal);

    /// <summary>Bytes appended so far.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(Handle, bytes, Length);
        Length += bytes.Length;
    }

    /// <summary>Appends bytes that <see cref="WriteAt"/> will write.</summary>
    public void Reserve(long count) => Length += count;

    /// <summary>Makes the file as long as what is reserved; what isn't written is zero and takes no room.</summary>
    /// <exception cref="IOException">So long a file can't be.</exception>
    public void Extend() => RandomAccess.SetLength(Handle, Length);

    /// <summary>For any thread.</summary>
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
    /// <param name="sync">Wait until its bytes are on the disk.</param>
    public void Commit(bool sync)
    {
        if (sync)
            RandomAccess.FlushToDisk(Handle);
        if (File.Exists(_final))
        {
            File.Move(_final, _older, overwrite: true);
            _moved = true;
        }

        File.Move(_path, _final);
        _committed = true;
    }

    /// <summary>Takes back <see cref="Commit"/>.</summary>
    public void Withdraw()
    {
        File.Move(_final, _path, overwrite: true);
        _committed = false;
    }

    public void Dispose()
    {
        if (_committed && _moved)
            File.Delete(_older);
        else if (_moved && !File.Exists(_final))
            File.Move(_older, _final);
        if (!_committed)
            File.Delete(_path);
        _stream.Dispose();
    }

    private static bool IsDevice(string path) =>
        path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);
}
