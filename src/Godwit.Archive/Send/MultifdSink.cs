using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Wire;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Send;

/// <summary>
/// Sends pages over multifd channels, all else over the main one. A page that comes again may overtake its older version on another channel: the channels meet
/// before it does (docs/wire/multifd.md).
/// </summary>
internal sealed class MultifdSink : IPageSink, IDisposable
{
    private readonly ItemSink _main;
    private readonly Parameters _parameters;
    private readonly List<PacketChannel> _channels = [];
    private readonly Dictionary<RamBlock, PageBitmap> _sent = [];
    private PagePacket? _filling;
    private Exception? _failure;
    private long _number = -1;
    private int _next;

    /// <summary>START must be over at the other side before pages come: the channels meet at its end, too.</summary>
    private bool _unsynchronized = true;

    /// <param name="main">Takes the main channel's bytes.</param>
    /// <param name="connect">Opens a channel, which goes with this.</param>
    /// <exception cref="IOException">One can't be opened.</exception>
    public MultifdSink(ItemSink main, Func<Channel> connect, int pageBits, Parameters parameters)
    {
        _main = main;
        _parameters = parameters;
        try
        {
            for (var id = 0; id < parameters.MultifdChannels; id++)
            {
                var channel = new PacketChannel(connect(), (byte)id, pageBits, parameters, () => (ulong)Interlocked.Increment(ref _number), Fail);
                lock (_channels)
                    _channels.Add(channel);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes written to all channels but the main one.</summary>
    public long Bytes => _channels.Sum(c => c.Bytes);

    public void Write(ReadOnlySpan<byte> bytes) => _main.Write(bytes);

    public void WritePages(RamBlock block, ulong offset, int pageBits, ReadOnlySpan<byte> pages)
    {
        var size = 1 << pageBits;
        for (; !pages.IsEmpty; pages = pages[size..], offset += (ulong)size)
        {
            Claim(block, offset, pageBits);
            Packet(block).Add(block, offset, pages[..size]);
        }
    }

    public void WriteZeros(RamBlock block, ulong offset, int pageBits, long count)
    {
        for (; count > 0; count--, offset += 1UL << pageBits)
        {
            Claim(block, offset, pageBits);
            if (_parameters.ZeroPageDetection == ZeroPageDetection.Legacy)
                _main.WriteZeros(block, offset, pageBits, 1);
            else
                Packet(block).AddZero(block, offset);
        }
    }

    public void EndPages()
    {
        _main.EndPages();
        if (_parameters.MultifdFlushAfterEachSection || _unsynchronized)
            Synchronize();
    }

    /// <summary>Waits until all is written.</summary>
    /// <exception cref="IOException">A channel failed.</exception>
    public void Complete()
    {
        ThrowIfFailed();
        foreach (var channel in _channels)
            channel.Complete();
        ThrowIfFailed();
    }

    /// <exception cref="IOException">A channel failed.</exception>
    public void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } e)
            throw new IOException(e.Message, e);
    }

    /// <summary>Ends all channels at once. For any thread.</summary>
    public void Shutdown()
    {
        lock (_channels)
            _channels.ForEach(c => c.Shutdown());
    }

    public void Dispose()
    {
        Shutdown();
        _channels.ForEach(c => c.Join());
        _channels.ForEach(c => c.Dispose());
    }

    private void Claim(RamBlock block, ulong offset, int pageBits)
    {
        if (!_sent.TryGetValue(block, out var sent))
            _sent.Add(block, sent = new PageBitmap());
        if (sent.Set((long)(offset >> pageBits)))
        {
            if (_parameters.MultifdFlushAfterEachSection)
                throw new NotSupportedException($"page 0x{offset:x} of block '{block.Name}' comes twice, which doesn't go with multifd-flush-after-each-section: 'godwit convert IN OUT --to stream' makes a file that has each page once");
            Synchronize();
            sent.Set((long)(offset >> pageBits));
        }

        _unsynchronized = true;
    }

    private PagePacket Packet(RamBlock block)
    {
        if (_filling is not null && !_filling.Takes(block))
            Hand();
        return _filling ??= _channels[_next].Rent(sync: false);
    }

    private void Hand()
    {
        if (_filling is not null)
            Add(_channels[_next], _filling);
        _filling = null;
        _next = (_next + 1) % _channels.Count;
    }

    private void Synchronize()
    {
        Hand();
        foreach (var channel in _channels)
            Add(channel, channel.Rent(sync: true));
        foreach (var sent in _sent.Values)
            sent.Clear();
        _unsynchronized = false;
        if (_parameters.MultifdFlushAfterEachSection)
            return;
        var writer = new WireWriter(new byte[8]);
        RamItem.WriteMultifdFlush(ref writer);
        _main.Write(writer.Written);
    }

    private void Add(PacketChannel channel, PagePacket packet)
    {
        ThrowIfFailed();
        try
        {
            channel.Add(packet);
        }
        catch (InvalidOperationException e)
        {
            ThrowIfFailed();
            throw new IOException("a multifd channel was closed", e);
        }
    }

    private void Fail(Exception e)
    {
        Interlocked.CompareExchange(ref _failure, e, null);
        Shutdown();
    }
}
