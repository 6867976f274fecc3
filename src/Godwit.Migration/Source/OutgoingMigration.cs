using Godwit.Migration.Channels;
using Godwit.Migration.Control;
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
    private volatile bool _finished;
    private bool _handedOver;
    private bool _stopped;
    private Channel? _channel;
    private ReturnPathListener? _returnPath;
    private LiveSource? _live;

    public OutgoingMigration(IMigratableMachine machine, MigrationUri uri, Capabilities capabilities, Func<Parameters> parameters, Action<MigrationStatus> statusChanged, Action<int> passStarted)
    {
        _machine = machine;
        _uri = uri;
        _capabilities = capabilities;
        _parameters = parameters;
        _statusChanged = statusChanged;
        _passStarted = passStarted;
        _thread = new Thread(Run) { Name = "migration", IsBackground = true };
    }

    public MigrationStatus Status => _status;

    /// <summary>Whether everything is over, the guest's run state and the last event included.</summary>
    public bool IsFinished => _finished;

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
        lock (_lock)
        {
            if (_cancelled || _finished || _status is MigrationStatus.Completed or MigrationStatus.Failing or MigrationStatus.Failed)
                return;
            _cancelled = true;
            if (!_handedOver)
                Set(MigrationStatus.Cancelling);
            channel = _channel;
        }

        _wake.Set();
        _connecting.Cancel();
        channel?.Shutdown();
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
        var channel = _channel ?? ChannelConnector.Connect(_uri, _capabilities["return-path"], _connecting.Token);
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
        var configuration = new ConfigurationSection(_machine.MachineType)
        {
            Capabilities = shared ? [ConfigurationSection.IgnoreShared] : null,
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
        _ram = new RamSource(_machine, output, RamSectionId, shared, _cache);
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
            if (output.Position < limit)
            {
                // They first: memory takes all that there is.
                _live!.Iterate(limit);
                if (_ram.DirtyPages > 0)
                    _ram.SendPart(limit, () => _cancelled || _returnPathBroke);
                else
                    output.Flush();
            }

            _ram.Counters.Transferred = output.Position;
            _pace.Update(output.Position, parameters);
            if (waits || output.Position >= _pace.Limit(parameters))
            {
                _wake.Wait(Math.Max(_pace.Left, NothingToDoMilliseconds));
                _wake.Reset();
            }
        }
    }

    /// <summary>Bytes that are left.</summary>
    private double Pending(bool exact)
    {
        var pending = (double)_ram!.DirtyPages * Memory.GuestPage.Size + _live!.Pending(exact, out var acks);
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
        _convergence!.AfterSynchronization(output.Position, parameters);
        _passStarted((int)_ram.Counters.Syncs);
    }

    private void ThrowIfCancelled()
    {
        if (_cancelled)
            throw new OperationCanceledException();
    }

    private void ThrowIfBroken()
    {
        ThrowIfCancelled();
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
