using System.Collections.Concurrent;
using Godwit.Linux.Compression;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.Multifd;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Archive.Send;

/// <summary>A multifd channel that a thread of its own writes packets to.</summary>
internal sealed class PacketChannel : IDisposable
{
    private const int QueueLength = 2;

    private readonly Channel _channel;
    private readonly int _pageBits;
    private readonly Func<ulong> _number;
    private readonly Action<Exception> _failed;
    private readonly MultifdFlags _compression;
    private readonly PacketCompressor? _compressor;
    private readonly byte[] _bytes;
    private readonly BlockingCollection<PagePacket> _ready = new(QueueLength);
    private readonly ConcurrentBag<PagePacket> _spare = [];
    private readonly Thread _thread;
    private long _written;

    /// <summary>Says at once which channel it is: a QEMU that waits for that takes no other one meanwhile.</summary>
    /// <param name="channel">Goes with this.</param>
    /// <param name="number">Numbers all channels' packets.</param>
    /// <param name="failed">Called on the channel's thread.</param>
    /// <exception cref="IOException">The connection broke.</exception>
    public PacketChannel(Channel channel, byte id, int pageBits, Parameters parameters, Func<ulong> number, Action<Exception> failed)
    {
        _channel = channel;
        _pageBits = pageBits;
        _number = number;
        _failed = failed;
        (_compressor, _compression) = PacketCompression.Create(parameters, 1 << pageBits);
        _bytes = GC.AllocateUninitializedArray<byte>(MultifdPacket.Length(pageBits) + (_compressor is null ? 0 : MultifdPacket.MaxCompressed));
        var writer = new WireWriter(_bytes);
        new MultifdHandshake(Guid.Empty, id).Write(ref writer);
        Write(writer.Written);
        _thread = new Thread(Run) { Name = $"multifd channel {id}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Bytes written so far. For any thread.</summary>
    public long Bytes => Volatile.Read(ref _written);

    /// <summary>A packet to fill.</summary>
    public PagePacket Rent(bool sync)
    {
        var packet = _spare.TryTake(out var spare) ? spare : new PagePacket(_pageBits);
        packet.Begin(sync);
        return packet;
    }

    /// <summary>Has a packet written; waits as long as the channel has enough to do.</summary>
    /// <exception cref="InvalidOperationException">The channel has ended.</exception>
    public void Add(PagePacket packet) => _ready.Add(packet);

    /// <summary>Waits until all is written, and tells the other side that this is the end.</summary>
    public void Complete()
    {
        _ready.CompleteAdding();
        _thread.Join();
        _channel.CloseWrite();
    }

    /// <summary>Ends it at once. For any thread.</summary>
    public void Shutdown()
    {
        _channel.Shutdown();
        try
        {
            _ready.CompleteAdding();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    /// <summary>Waits for its thread, once it was shut down.</summary>
    public void Join() => _thread.Join();

    /// <summary>To be called after <see cref="Join"/>.</summary>
    public void Dispose()
    {
        _channel.Dispose();
        _compressor?.Dispose();
        _ready.Dispose();
    }

    private void Run()
    {
        try
        {
            foreach (var packet in _ready.GetConsumingEnumerable())
            {
                Write(packet);
                _spare.Add(packet);
            }
        }
        catch (Exception e)
        {
            _failed(e);
        }
    }

    private void Write(PagePacket packet)
    {
        var header = MultifdPacket.Length(_pageBits);
        if (packet.IsSync)
        {
            MultifdPacket.Write(_bytes, _pageBits, MultifdFlags.Sync, _number(), [], [], [], 0);
            Write(_bytes.AsSpan(0, header));
            return;
        }

        var length = _compressor is null ? packet.Data.Length : Compress(_compressor, packet, header);
        MultifdPacket.Write(_bytes, _pageBits, _compression, _number(), packet.BlockName, packet.Normal, packet.Zeros, length);
        Write(_bytes.AsSpan(0, _compressor is null ? header : header + length));
        if (_compressor is null)
            Write(packet.Data);
    }

    private int Compress(PacketCompressor compressor, PagePacket packet, int at)
    {
        var start = at;
        for (var i = 0; i < packet.Normal.Length; i++)
            at += compressor.Add(packet.Data.Slice(i << _pageBits, 1 << _pageBits), _bytes.AsSpan(at), last: i == packet.Normal.Length - 1);
        return at - start;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _channel.Write(bytes);
        Volatile.Write(ref _written, _written + bytes.Length);
    }
}
