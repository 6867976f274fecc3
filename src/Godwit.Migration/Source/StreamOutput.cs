using Godwit.Linux;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire;

namespace Godwit.Migration.Source;

/// <summary>The stream as it leaves: small things are gathered, pages go from where they are. Writes when full or told to.</summary>
internal sealed class StreamOutput : IDisposable
{
    private readonly Channel _channel;
    private readonly GatherBuffer _gather = new();
    private long _flushed;

    public StreamOutput(Channel channel)
    {
        _channel = channel;
    }

    /// <summary>Bytes put so far.</summary>
    public long Position => _flushed + _gather.Length + Beside;

    /// <summary>Bytes that went to places of their own, past this.</summary>
    public long Beside { get; set; }

    /// <summary>A writer for up to that many bytes; <see cref="Put(in WireWriter)"/> takes what it wrote.</summary>
    public WireWriter Writer(int bytes)
    {
        if (!_gather.HasRoom(bytes))
            Flush();
        return new WireWriter(_gather.Scratch(bytes));
    }

    public void Put(in WireWriter writer) => _gather.Copied(writer.Position);

    public void Put(ReadOnlySpan<byte> bytes)
    {
        const int Piece = 1 << 16;
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, Piece)];
            var writer = Writer(piece.Length);
            writer.Bytes(piece);
            Put(writer);
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>A page as it is when it is written.</summary>
    public void PutPage(RamBlock block, ulong offset)
    {
        if (!_gather.HasRoom(0))
            Flush();
        block.AddTo(_gather, offset, GuestPage.Size);
    }

    /// <exception cref="IOException">The connection broke.</exception>
    public void Flush()
    {
        if (_gather.Length == 0)
            return;
        var length = _gather.Length;
        _channel.Write(_gather);
        _gather.Clear();
        _flushed += length;
    }

    public void Dispose() => _gather.Dispose();
}
