using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Channels;

/// <summary>A file, or a descriptor that isn't a socket: one way, as it was opened.</summary>
internal sealed class FileChannel : Channel
{
    private readonly FileStream _stream;

    public FileChannel(FileStream stream, string name)
        : base(name)
    {
        _stream = stream;
    }

    public override bool IsBidirectional => false;

    public override SafeFileHandle File => _stream.SafeFileHandle;

    public override long Position
    {
        get => _stream.Position;
        set => _stream.Position = value;
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (ObjectDisposedException e)
        {
            throw Ended(e);
        }
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (ObjectDisposedException e)
        {
            throw Ended(e);
        }
    }

    public override void Write(GatherBuffer bytes)
    {
        try
        {
            if (!_stream.CanSeek)
            {
                bytes.WriteTo(_stream.SafeFileHandle, -1, Name);
                return;
            }

            var position = _stream.Position;
            bytes.WriteTo(_stream.SafeFileHandle, position, Name);
            _stream.Position = position + bytes.Length;
        }
        catch (ObjectDisposedException e)
        {
            throw Ended(e);
        }
    }

    public override void CloseWrite() => _stream.Flush();

    public override void Shutdown() => _stream.Dispose();

    protected override void Dispose(bool disposing) => _stream.Dispose();

    private IOException Ended(ObjectDisposedException e) => new($"{Name}: {e.Message}", e);
}
