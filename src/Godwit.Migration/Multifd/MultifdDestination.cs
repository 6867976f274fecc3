using Godwit.Migration.Channels;
using Godwit.Wire;

namespace Godwit.Migration.Multifd;

/// <summary>
/// The destination's multifd channels, each with a thread. A channel that comes to a SYNC packet waits until all others have come to theirs and the main thread to
/// the place in its stream that means the same. Source of the rules: QEMU migration/multifd.c, multifd_recv_thread and multifd_recv_sync_main;
/// <see cref="MultifdSource"/> says what they are for.
/// </summary>
public sealed class MultifdDestination : IDisposable
{
    private readonly TargetPageSize _pageSize;
    private readonly Action _failed;
    private readonly object _lock = new();
    private readonly List<Receiving> _channels = [];
    private Exception? _failure;
    private int _waiting;
    private int _meetings;
    private bool _stopped;

    /// <param name="failed">Called on a channel's thread, once, when one has failed: the main thread is to be woken.</param>
    public MultifdDestination(TargetPageSize pageSize, Action failed)
    {
        _pageSize = pageSize;
        _failed = failed;
    }

    /// <summary>What went wrong first on a channel.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_lock)
                return _failure;
        }
    }

    /// <summary>Bytes that came over all channels.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _channels.Sum(c => c.Packets.Bytes);
        }
    }

    /// <summary>Begins to read a channel whose handshake came.</summary>
    /// <param name="channel">Goes with this.</param>
    public void Add(byte id, Channel channel, PacketSink sink)
    {
        var receiving = new Receiving(id, channel, sink, _pageSize);
        lock (_lock)
        {
            _channels.Add(receiving);
            if (_stopped)
                channel.Shutdown();
        }

        receiving.Thread = new Thread(() => Run(receiving)) { Name = $"mig/dst/recv_{id}", IsBackground = true };
        receiving.Thread.Start();
    }

    /// <summary>Waits until every channel waits at a SYNC, and lets them go on. All must have been added.</summary>
    /// <exception cref="MigrationStreamException">One has ended, or failed.</exception>
    public void Synchronize(long mainOffset)
    {
        lock (_lock)
        {
            while (_waiting < _channels.Count)
            {
                ThrowIfFailed();
                if (_channels.Find(c => c.Ended) is { } ended)
                    throw new MigrationStreamException(mainOffset, "ram", "MULTIFD_FLUSH", $"{ended.Name} ended without the SYNC that belongs to it");
                Monitor.Wait(_lock);
            }

            ThrowIfFailed();
            _waiting = 0;
            _meetings++;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Ends all channels at once. For any thread.</summary>
    public void Shutdown()
    {
        lock (_lock)
        {
            _stopped = true;
            foreach (var receiving in _channels)
                receiving.Channel.Shutdown();
            Monitor.PulseAll(_lock);
        }
    }

    public void Dispose()
    {
        Shutdown();
        foreach (var receiving in _channels)
        {
            receiving.Thread!.Join();
            receiving.Channel.Dispose();
            receiving.Sink.Dispose();
        }
    }

    internal void ThrowIfFailed()
    {
        if (Failure is { } e)
            throw e is MigrationStreamException m ? new MigrationStreamException(m.Offset, m.Section, m.Field, m.Reason) { Unsupported = m.Unsupported } : new IOException(e.Message, e);
        if (_stopped)
            throw new OperationCanceledException();
    }

    private void Run(Receiving receiving)
    {
        try
        {
            while (Receive(receiving))
            {
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }

        lock (_lock)
        {
            receiving.Ended = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <returns>False where the channel ended.</returns>
    private bool Receive(Receiving receiving)
    {
        if (!receiving.Packets.TryRead(out var packet))
            return false;
        if (packet.NormalPages + packet.ZeroPages > 0)
            receiving.Sink.Take(packet, receiving.Channel, receiving.Name, receiving.Packets.At);
        receiving.Packets.Took(packet.DataLength);
        if (packet.IsSync)
            WaitForMain();
        return true;
    }

    private void WaitForMain()
    {
        lock (_lock)
        {
            var before = _meetings;
            _waiting++;
            Monitor.PulseAll(_lock);
            while (_meetings == before && !_stopped && _failure is null)
                Monitor.Wait(_lock);
        }
    }

    /// <summary>Ends all channels because of this, unless they have ended. For any thread.</summary>
    public void Fail(Exception e)
    {
        lock (_lock)
        {
            // What breaks because it was ended isn't why.
            if (_failure is not null || _stopped)
                return;
            _failure = e;
            foreach (var receiving in _channels)
                receiving.Channel.Shutdown();
            Monitor.PulseAll(_lock);
        }

        _failed();
    }

    private sealed class Receiving(byte id, Channel channel, PacketSink sink, TargetPageSize pageSize)
    {
        public string Name { get; } = $"multifd channel {id}";

        public Channel Channel { get; } = channel;

        public PacketReader Packets { get; } = new(channel, $"multifd channel {id}", pageSize);

        public PacketSink Sink { get; } = sink;

        public Thread? Thread { get; set; }

        public bool Ended { get; set; }
    }
}
