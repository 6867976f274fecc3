using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.MappedRam;
using Godwit.Migration.Multifd;
using Godwit.Migration.Tls;
using Godwit.Wire.Multifd;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

/// <summary>One migration away from here: a thread that goes through QEMU's states. Source: QEMU migration/migration.c, migration_thread.
/// The guest counts as the destination's from before the stream's end leaves: whatever breaks earlier, it runs on here; whatever breaks later, it is held
/// paused unless the destination says that it failed.</summary>
internal sealed partial class OutgoingMigration : IDisposable
{
    private const uint RamSectionId = 1;
    private const int NothingToDoMilliseconds = 1;

    private readonly IMigratableMachine _machine;
    private readonly MigrationUri _uri;
    private readonly Capabilities _capabilities;
    private readonly Func<Parameters> _parameters;
    private readonly SecurityObjects _objects;
    private readonly Action<MigrationStatus> _statusChanged;
    private readonly Action<int> _passStarted;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _wake = new();
    private readonly CancellationTokenSource _connecting = new();
    private readonly Thread _thread;
    private readonly long _started = Environment.TickCount64;
    private volatile MigrationStatus _status = MigrationStatus.Setup;
    private volatile bool _cancelled;
    private volatile bool _continued;
    private volatile bool _returnPathBroke;
    private bool _finished;
    private bool _handedOver;
    private bool _stopped;
    private Channel? _channel;
    private ReturnPathListener? _returnPath;
    private LiveSource? _live;
    private MultifdSource? _multifd;
    private MappedRamPages? _mapped;

    public OutgoingMigration(IMigratableMachine machine, MigrationUri uri, Capabilities capabilities, Func<Parameters> parameters, SecurityObjects objects, Action<MigrationStatus> statusChanged, Action<int> passStarted)
    {
        _machine = machine;
        _uri = uri;
        _capabilities = capabilities;
        _parameters = parameters;
        _objects = objects;
        _statusChanged = statusChanged;
        _passStarted = passStarted;
        _thread = new Thread(Run) { Name = "migration", IsBackground = true };
    }

    public MigrationStatus Status => _status;

    /// <summary>Whether everything is over, the guest's run state and the last event included.</summary>
    public bool IsFinished
    {
        get
        {
            // The last status is seen before the last event is out: whoever saw it, waits here for that.
            lock (_lock)
                return _finished;
        }
    }

    /// <exception cref="MigrationRefusedException">What nobody needs to be waited for can't be opened.</exception>
    public void Start()
    {
        _statusChanged(MigrationStatus.Setup);
        try
        {
            if (_uri.Scheme is MigrationScheme.File or MigrationScheme.Fd)
                _channel = ChannelConnector.Connect(_uri, _capabilities["return-path"]);
        }
        catch (IOException e)
        {
            Finish(e);
            throw new MigrationRefusedException(e.Message);
        }

        _thread.Start();
    }

    public void Cancel()
    {
        Channel? channel;
        MultifdSource? multifd;
        lock (_lock)
        {
            if (_cancelled || _finished || _status is MigrationStatus.Completed or MigrationStatus.Failing or MigrationStatus.Failed)
                return;
            _cancelled = true;
            if (!_handedOver)
                Set(MigrationStatus.Cancelling);
            channel = _channel;
            multifd = _multifd;
        }

        _wake.Set();
        _connecting.Cancel();
        channel?.Shutdown();
        multifd?.Shutdown();
    }

    /// <returns>False where it isn't waiting before the switchover.</returns>
    public bool Continue()
    {
        lock (_lock)
        {
            if (_status != MigrationStatus.PreSwitchover)
                return false;
            _continued = true;
        }

        _wake.Set();
        return true;
    }

    /// <summary>Waits until it is over.</summary>
    public void Dispose()
    {
        if (_thread.IsAlive)
            _thread.Join();
        _wake.Dispose();
        _connecting.Dispose();
    }

    private void Run()
    {
        StreamOutput? output = null;
        DeviceStream? devices = null;
        Exception? failure = null;
        try
        {
            var channel = Connect();
            if (_capabilities["mapped-ram"])
                _mapped = new MappedRamPages(channel);
            if (_capabilities["multifd"])
                ConnectMultifd();
            output = new StreamOutput(channel);
            devices = new DeviceStream(output);
            SetupOrFail(output, devices);
            Iterate(output);
            Switchover(output, devices);
            WaitForDestination(channel);
        }
        catch (Exception e)
        {
            failure = e;
        }

        Finish(failure);
        devices?.Dispose();
        output?.Dispose();
    }

    private Channel Connect()
    {
        var parameters = _parameters();
        var channel = _channel ?? ChannelConnector.Connect(_uri, _capabilities["return-path"] || TlsUpgrade.IsWanted(parameters), _connecting.Token);
        channel = TlsUpgrade.Outgoing(channel, _uri, parameters, _objects, _connecting.Token);
        lock (_lock)
            _channel = channel;
        ThrowIfCancelled();
        if (!_capabilities["return-path"])
            return channel;
        if (!channel.IsBidirectional)
            throw new IOException("Unable to open return-path for " + channel.Name);
        _returnPath = new ReturnPathListener(channel, ReturnPathEnded, Acknowledge);
        return channel;
    }

    /// <summary>All before the first byte goes over the main channel: the other side can say then which are missing.</summary>
    private void ConnectMultifd()
    {
        var parameters = _parameters();
        var writers = _mapped?.OpenChannels(_uri, parameters.MultifdChannels, parameters.DirectIo) ?? ConnectChannels(parameters);
        var multifd = new MultifdSource(writers, _counters, parameters.ZeroPageDetection, MultifdFailed);
        lock (_lock)
            _multifd = multifd;
        ThrowIfCancelled();
    }

    private IBatchWriter[] ConnectChannels(Parameters parameters)
    {
        var numbers = new PacketNumbers();
        var writers = new List<IBatchWriter>();
        try
        {
            for (var id = 0; id < parameters.MultifdChannels; id++)
            {
                var channel = TlsUpgrade.Outgoing(ChannelConnector.Connect(_uri, returnPath: false, _connecting.Token), _uri, parameters, _objects, _connecting.Token);
                var writer = new PacketWriter(channel, new MultifdHandshake(_machine.Uuid, (byte)id), numbers, _counters, parameters, _capabilities["zero-copy-send"]);
                writers.Add(writer);
                writer.Begin();
            }
        }
        catch
        {
            writers.ForEach(w => w.Dispose());
            throw;
        }

        return [.. writers];
    }

    private void MultifdFailed()
    {
        lock (_lock)
        {
            if (_handedOver)
                return;
        }

        _channel!.Shutdown();
        _wake.Set();
    }

    private void ReturnPathEnded()
    {
        _returnPathBroke = true;
        lock (_lock)
        {
            if (_handedOver)
                return;
        }

        // The migration thread may stand in a write that nobody reads any more.
        _channel!.Shutdown();
        _multifd?.Shutdown();
        _wake.Set();
    }

    /// <summary>It is active once it has been set up, or has failed to be, as QEMU's is.</summary>
    private void SetupOrFail(StreamOutput output, DeviceStream devices)
    {
        try
        {
            Setup(output, devices);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Move(MigrationStatus.Active);
            throw;
        }

        Move(MigrationStatus.Active);
    }

    private void Setup(StreamOutput output, DeviceStream devices)
    {
        SectionNames.Check(_machine);
        var shared = _capabilities[ConfigurationSection.IgnoreShared];
        string[] agreed = [.. new[] { ConfigurationSection.IgnoreShared, ConfigurationSection.MappedRam }.Where(c => _capabilities[c])];
        var configuration = new ConfigurationSection(_machine.MachineType)
        {
            Capabilities = agreed.Length > 0 ? agreed : null,
            Uuid = _capabilities["validate-uuid"] && _machine.Uuid != Guid.Empty ? _machine.Uuid : null,
        };
        var writer = output.Writer(1024);
        StreamHeader.Write(ref writer);
        configuration.Write(ref writer);
        if (_returnPath is not null)
        {
            Command.Write(ref writer, CommandType.OpenReturnPath, []);
            Command.WritePing(ref writer, 1);
        }

        output.Put(writer);
        devices.DescribeConfiguration(configuration);
        _cache = _capabilities["xbzrle"] ? new XbzrleCache(_parameters().XbzrleCacheSize) : null;
        _ram = new RamSource(_machine, output, RamSectionId, shared, _cache, _counters, _parameters(), _multifd, _mapped);
        _pace = new Pace(_ram.Counters, static () => Environment.TickCount64);
        _lastRounds = new LastRounds(_pace);
        _convergence = new Convergence(_machine, _ram, _capabilities, static () => Environment.TickCount64);
        _live = new LiveSource(_machine.LiveSections, output, RamSectionId + 2, _capabilities["switchover-ack"], ThrowIfBroken);
        _ram.Setup();
        _live.Setup();
        output.Flush();
        _setupTime = Environment.TickCount64 - _started;
        _counted = output.Position;
    }

    /// <summary>Round after round, until so little is left that the guest can be stopped for it, and every live section's other end approves.</summary>
    private void Iterate(StreamOutput output)
    {
        while (true)
        {
            ThrowIfBroken();
            var parameters = _parameters();
            var waits = false;
            if (_lastRounds!.IsRoundOver(Pending(exact: false), _ram!.DirtyPages == 0, _machine.IsGuestRunning))
            {
                Synchronize(output, parameters);
                waits = _lastRounds.IsEnough(Pending(exact: true), _machine.IsGuestRunning);
                if (waits && MaySwitchOver())
                    return;
            }

            var limit = _pace!.Limit(parameters);
            if (Sent(output) + Queued < limit)
            {
                // They first: memory takes all that there is.
                _live!.Iterate(limit == long.MaxValue ? limit : limit - (_multifd?.Bytes ?? 0) - Queued);
                if (_ram.DirtyPages > 0)
                    _ram.SendPart(limit, () => _cancelled || _returnPathBroke);
                else
                    output.Flush();
            }

            _ram.Counters.Transferred = Sent(output);
            _pace.Update(Sent(output), parameters);
            var isUsedUp = waits || Sent(output) + Queued >= _pace.Limit(parameters);
            if (isUsedUp || (_ram.DirtyPages == 0 && Queued > 0))
            {
                _wake.Wait(isUsedUp ? Math.Max(_pace.Left, NothingToDoMilliseconds) : NothingToDoMilliseconds);
                _wake.Reset();
            }
        }
    }

    /// <summary>Bytes that are left.</summary>
    private double Pending(bool exact)
    {
        var pending = ((double)_ram!.DirtyPages * Memory.GuestPage.Size) + Queued + _live!.Pending(exact, out var acks);
        lock (_lock)
            _acksAwaited += acks;
        return pending;
    }

    private void Synchronize(StreamOutput output, Parameters parameters)
    {
        _ram!.Synchronize();
        // What is left when the guest stands is no round: that one isn't counted.
        _ram.Counters.Syncs++;
        CountBytes(output.Position, _machine.IsGuestRunning);
        _convergence!.AfterSynchronization(Sent(output), parameters);
        _passStarted((int)_ram.Counters.Syncs);
    }

    /// <summary>Bytes of pages that multifd channels have yet to write.</summary>
    private long Queued => _multifd?.Queued ?? 0;

    private void ThrowIfCancelled()
    {
        if (_cancelled)
            throw new OperationCanceledException();
    }

    /// <summary>Bytes over all channels.</summary>
    private long Sent(StreamOutput output) => output.Position + (_multifd?.Bytes ?? 0);

    private bool IsBroken => _cancelled || _returnPathBroke || _multifd?.Failure is not null;

    /// <summary>Not under the lock.</summary>
    private void ThrowIfBroken()
    {
        ThrowIfCancelled();
        if (_multifd?.Failure is { } e && !_returnPathBroke)
            throw new IOException(e.Message, e);
        if (!_returnPathBroke)
            return;
        _returnPath!.WaitForShut();
        throw new IOException($"{_channel!.Name}: the destination says that it has the guest, and it can't");
    }

    /// <summary>The next state, unless it was cancelled.</summary>
    private void Move(MigrationStatus status)
    {
        lock (_lock)
        {
            ThrowIfCancelled();
            Set(status);
        }
    }

    /// <summary>Under the lock, so that events come in order.</summary>
    private void Set(MigrationStatus status)
    {
        _status = status;
        _statusChanged(status);
    }
}
