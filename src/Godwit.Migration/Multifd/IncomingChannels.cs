using System.Globalization;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>
/// Takes all of a source's channels, in whichever order they come, and tells them apart by their first four bytes (QEMU: migration/migration.c,
/// migration_ioc_process_incoming). What belongs to no source, comes twice or is too much is an error; so is what is missing: a source
/// has connected all its channels before it says anything on the main one.
/// </summary>
public sealed class IncomingChannels : IDisposable
{
    private const uint MainMagic = 0x5145564d;
    private const int PollMilliseconds = 20;
    private const int SilenceMilliseconds = 1000;

    /// <summary>More connections than can be a source's that haven't said yet what they are.</summary>
    private const int MaxUnidentified = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ChannelListener _listener;
    private readonly MultifdDestination _destination;
    private readonly int? _expected;
    private readonly Guid _uuid;
    private readonly Func<PacketSink> _sink;
    private readonly Func<Channel, Channel?> _upgrade;
    private readonly object _lock = new();
    private readonly HashSet<Channel> _unidentified = [];
    private readonly SortedSet<int> _ids = [];
    private readonly Thread _thread;
    private Channel? _main;
    private Guid? _source;
    private bool _complete;
    private volatile bool _closed;
    private volatile bool _stopped;

    /// <param name="expected">How many multifd channels there must be; null: as many as come.</param>
    /// <param name="uuid">This machine's; all zero: any.</param>
    /// <param name="sink">Makes what becomes of a channel's pages.</param>
    /// <param name="pageSize">The target's; null: that of the machines here.</param>
    /// <param name="upgrade">Makes of a connection the channel to use, on a thread of its own, before anything is read; null is nobody's. Without it, it is the connection.</param>
    public IncomingChannels(ChannelListener listener, int? expected, Guid uuid, Func<PacketSink> sink, TargetPageSize? pageSize = null, Func<Channel, Channel?>? upgrade = null)
    {
        _upgrade = upgrade ?? (static c => c);
        _listener = listener;
        _expected = expected;
        _uuid = uuid;
        _sink = sink;
        _destination = new MultifdDestination(pageSize ?? new TargetPageSize(GuestPage.Bits), WakeMain);
        _thread = new Thread(Listen) { Name = "migration-listen", IsBackground = true };
        _thread.Start();
    }

    /// <summary>What went wrong first.</summary>
    public Exception? Failure => _destination.Failure;

    /// <summary>Bytes that came over all multifd channels.</summary>
    public long Bytes => _destination.Bytes;

    /// <summary>Multifd channels so far.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _ids.Count;
        }
    }

    /// <summary>Waits for the main channel, which is the caller's then; the first four bytes are read off it already.</summary>
    /// <param name="read">Those bytes.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="MigrationStreamException">Something else came that is none of a source's channels.</exception>
    public Channel WaitForMain(CancellationToken cancellation, out byte[] read)
    {
        using var registration = cancellation.Register(() =>
        {
            _stopped = true;
            lock (_lock)
                Monitor.PulseAll(_lock);
        });
        lock (_lock)
        {
            while (_main is null)
            {
                cancellation.ThrowIfCancellationRequested();
                _destination.ThrowIfFailed();
                Monitor.Wait(_lock);
            }

            read = Magic(MainMagic);
            return _main;
        }
    }

    /// <summary>
    /// Whether the source has multifd channels, where the end of memory's START didn't say so: from one that has, all have said by then what they are. If it has none,
    /// who connects from now on is left waiting, and so is who has connected and is silent (a channel for postcopy is).
    /// </summary>
    public bool HaveCome()
    {
        lock (_lock)
        {
            var until = Environment.TickCount64 + SilenceMilliseconds;
            while (_ids.Count == 0 && !_stopped && Failure is null && (_unidentified.Count > 0 || _listener.HasPending) && until - Environment.TickCount64 is > 0 and var left)
                Monitor.Wait(_lock, (int)Math.Min(left, PollMilliseconds));
            if (_ids.Count == 0)
                _complete = _closed = true;
            return _ids.Count > 0;
        }
    }

    /// <exception cref="MigrationStreamException">A channel has failed.</exception>
    /// <exception cref="IOException">A channel has failed.</exception>
    /// <exception cref="OperationCanceledException">All were ended.</exception>
    public void ThrowIfFailed() => _destination.ThrowIfFailed();

    /// <summary>The main thread is at a place where the channels meet.</summary>
    /// <param name="offset">In the main channel's stream, for errors.</param>
    /// <exception cref="MigrationStreamException">A channel is missing, or has failed.</exception>
    public void Meet(long offset)
    {
        RequireAll(offset);
        _destination.Synchronize(offset);
    }

    /// <summary>Ends all multifd channels at once. For any thread.</summary>
    public void Shutdown()
    {
        _stopped = true;
        _destination.Shutdown();
        lock (_lock)
        {
            foreach (var channel in _unidentified)
                channel.Shutdown();
            Monitor.PulseAll(_lock);
        }
    }

    public void Dispose()
    {
        Shutdown();
        _thread.Join();
        lock (_lock)
        {
            while (_unidentified.Count > 0)
                Monitor.Wait(_lock);
        }

        _destination.Dispose();
    }

    private static byte[] Magic(uint magic) => [(byte)(magic >> 24), (byte)(magic >> 16), (byte)(magic >> 8), (byte)magic];

    private void RequireAll(long offset)
    {
        var begun = Environment.TickCount64;
        lock (_lock)
        {
            while (!_complete)
            {
                _destination.ThrowIfFailed();
                if (_stopped)
                    throw new OperationCanceledException();
                var allCame = _unidentified.Count == 0 && !_listener.HasPending;
                var isEnough = _expected is { } n ? _ids.Count == n : allCame && IsContiguous;
                // One more of the source's may be about to say what it is; who stays silent is none.
                if (isEnough && (allCame || Environment.TickCount64 - begun >= SilenceMilliseconds))
                    _complete = true;
                else if (isEnough)
                    Monitor.Wait(_lock, PollMilliseconds);
                else if (allCame || !Monitor.Wait(_lock, Patience))
                    throw new MigrationStreamException(offset, "ram", "multifd-channels", Missing());
            }
        }
    }

    private bool IsContiguous => _ids.Count > 0 && _ids.Max == _ids.Count - 1;

    private string Missing()
    {
        var count = _expected ?? _ids.Max + 1;
        if (_ids.Count == 0)
            return "no multifd channel came: is capability multifd on at the source?";
        var missing = Enumerable.Range(0, count).Where(i => !_ids.Contains(i)).Select(i => i.ToString(CultureInfo.InvariantCulture));
        return $"{_ids.Count} of {count} multifd channels came, missing {string.Join(", ", missing)}: multifd-channels must be the same at both ends";
    }

    private void Listen()
    {
        try
        {
            while (!_stopped && !_closed)
            {
                if (!_listener.WaitPending(PollMilliseconds))
                    continue;
                lock (_lock)
                {
                    if (_stopped || _closed)
                        return;
                    if (_unidentified.Count >= MaxUnidentified)
                    {
                        // Others wait in the queue.
                        Monitor.Wait(_lock, PollMilliseconds);
                        continue;
                    }

                    var channel = _listener.Accept(CancellationToken.None);
                    _unidentified.Add(channel);
                    new Thread(() => Identify(channel)) { Name = "migration-identify", IsBackground = true }.Start();
                }
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Identify(Channel connection)
    {
        var taken = false;
        Channel? channel = connection;
        try
        {
            channel = _upgrade(connection);
            taken = channel is not null && Take(channel);
        }
        catch (Exception e)
        {
            Fail(e);
        }

        lock (_lock)
        {
            _unidentified.Remove(connection);
            Monitor.PulseAll(_lock);
        }

        if (!taken)
            channel?.Dispose();
    }

    /// <returns>False: it is nobody's.</returns>
    private bool Take(Channel channel)
    {
        var bytes = new byte[MultifdHandshake.Length];
        var magic = bytes.AsSpan(0, MultifdHandshake.MagicLength);
        var count = channel.ReadAll(magic);
        // Somebody looked whether anyone listens here.
        if (count == 0 || _stopped)
            return false;
        if (count == magic.Length && magic.SequenceEqual(Magic(MainMagic)))
        {
            lock (_lock)
            {
                if (_main is not null)
                    throw new MigrationStreamException(0, "main channel", "magic", "a second main channel came");
                _main = channel;
            }

            return true;
        }

        if (count < magic.Length || !magic.SequenceEqual(Magic(MultifdHandshake.Magic)))
            throw new MigrationStreamException(0, "multifd channel", "magic", $"a channel came that begins with {Convert.ToHexStringLower(magic[..count])}, neither a main nor a multifd one");
        count += channel.ReadAll(bytes.AsSpan(count));
        if (count < bytes.Length)
            throw new MigrationStreamException(count, "multifd channel", "handshake", "the channel ends here, within its handshake");
        Add(MultifdHandshake.Read(bytes), channel);
        return true;
    }

    private void Add(MultifdHandshake handshake, Channel channel)
    {
        var name = $"multifd channel {handshake.Id}";
        if (_uuid != Guid.Empty && handshake.Uuid != _uuid)
            throw new MigrationStreamException(8, name, "uuid", $"UUID received is {handshake.Uuid} and local is {_uuid}");
        if (handshake.Id >= _expected)
            throw new MigrationStreamException(24, name, "id", $"multifd-channels is {_expected} here: it must be the same at both ends");
        lock (_lock)
        {
            if (_complete || !_ids.Add(handshake.Id))
                throw new MigrationStreamException(24, name, "id", _ids.Contains(handshake.Id) ? "a channel with this id is here already" : "it came after all channels had met");
            if (_source is { } source && source != handshake.Uuid)
                throw new MigrationStreamException(8, name, "uuid", $"UUID received is {handshake.Uuid}, and that of the channels before is {source}");
            _source = handshake.Uuid;
            _destination.Add(handshake.Id, channel, _sink());
        }
    }

    private void Fail(Exception e)
    {
        if (!_stopped && !_closed)
            _destination.Fail(e);
    }

    /// <summary>Its thread is to learn of a failure; what it has to say to the source it still can.</summary>
    private void WakeMain()
    {
        lock (_lock)
        {
            _main?.CloseRead();
            Monitor.PulseAll(_lock);
        }
    }
}
