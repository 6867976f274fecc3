using Godwit.Linux;

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

    public override int Read(Span<byte> buffer) => _stream.Read(buffer);

    public override void Write(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

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
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override void CloseWrite() => _stream.Flush();

    public override void Shutdown() => _stream.Dispose();

    protected override void Dispose(bool disposing) => _stream.Dispose();
}
