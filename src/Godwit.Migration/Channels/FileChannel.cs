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

    public override void CloseWrite() => _stream.Flush();

    public override void Shutdown() => _stream.Dispose();

    protected override void Dispose(bool disposing) => _stream.Dispose();
}
