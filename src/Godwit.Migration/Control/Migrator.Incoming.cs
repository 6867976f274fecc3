using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Destination;
using Godwit.Migration.MappedRam;
using Godwit.Migration.Multifd;
using Godwit.Migration.Tls;
using Godwit.Wire;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Control;

public sealed partial class Migrator
{
    private readonly TaskCompletionSource<string> _incomingFailed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _incomingCancellation = new();
    private readonly Lock _incomingLock = new();
    private MigrationInfo? _incomingInfo;
    private ChannelListener? _incomingListener;
    private Thread? _incomingThread;
    private MemoryAhead? _population;
    private bool _incomingExits;
    private volatile IncomingLoader? _incomingLoader;

    /// <summary>Completes with the error where an incoming migration failed and the process is to end (QEMU's exit-on-error).</summary>
    public Task<string> IncomingFailed => _incomingFailed.Task;

    /// <summary>Where a source is waited for, with the port that the host chose; null where none is.</summary>
    public MigrationUri? IncomingAddress => _incomingListener?.Address;

    /// <summary>Waits for a source at an address, and returns (option <c>-incoming</c>, QMP: <c>migrate-incoming</c>).</summary>
    /// <param name="exitOnError">Whether a failure completes <see cref="IncomingFailed"/>.</param>
    /// <exception cref="MigrationRefusedException">It waits already, or the address can't be listened on.</exception>
    public void Incoming(MigrationUri uri, bool exitOnError)
    {
        lock (_incomingLock)
        {
            ObjectDisposedException.ThrowIf(_incomingCancellation.IsCancellationRequested, this);
            ThrowIfIncoming();
            CheckTransport(uri);
            SetIncoming(MigrationStatus.Setup, null);
            try
            {
                _incomingListener = ChannelListener.Listen(uri);
            }
            catch (IOException e)
            {
                // Another address may be tried.
                Volatile.Write(ref _incomingInfo, null);
                throw new MigrationRefusedException(e.Message);
            }

            _incomingExits = exitOnError;
            _incomingThread = new Thread(RunIncoming) { Name = "migration-incoming", IsBackground = true };
            _incomingThread.Start();
        }
    }

    /// <summary>Has the host put memory behind the guest's while nobody has said yet where it comes from (<c>-incoming defer</c>).</summary>
    public void PrepareIncoming() => Volatile.Write(ref _population, MemoryPopulation.Start(_machine.RamBlocks));

    /// <exception cref="MigrationRefusedException">A source is waited for, or has come.</exception>
    public void ThrowIfIncoming()
    {
        if (_incomingThread is not null)
            throw new MigrationRefusedException("The incoming migration has already been started");
    }

    /// <summary>What an incoming migration has to tell; null where there was none.</summary>
    private MigrationInfo? IncomingInfo()
    {
        var info = Volatile.Read(ref _incomingInfo);
        return info?.Status is MigrationStatus.Setup or MigrationStatus.Active && _incomingListener is { Waits: true, Address: var address }
            ? info with { SocketAddress = address }
            : info;
    }

    /// <summary>Ends an incoming migration, whatever it waits for.</summary>
    private void StopIncoming()
    {
        lock (_incomingLock)
            _incomingCancellation.Cancel();
        if (_incomingThread != Thread.CurrentThread)
            _incomingThread?.Join();
        _incomingListener?.Dispose();
        Interlocked.Exchange(ref _population, null)?.Dispose();
    }

    private void SetIncoming(MigrationStatus status, string? error)
    {
        Volatile.Write(ref _incomingInfo, new MigrationInfo { Status = status, ErrorDescription = error });
        StatusChanged?.Invoke(status);
    }

    private void RunIncoming()
    {
        using var population = Interlocked.Exchange(ref _population, null) ?? MemoryPopulation.Start(_machine.RamBlocks);
        try
        {
            if (Capabilities["multifd"] && !Capabilities["mapped-ram"])
                RunMultifd(population);
            else
                RunSingle(population);
        }
        catch (OperationCanceledException)
        {
            // Disposed while it waited: nothing has begun.
        }
        catch (Exception e)
        {
            FailIncoming(e);
        }
    }

    private void RunSingle(MemoryAhead population)
    {
        Channel? channel;
        using (var listener = _incomingListener!)
        {
            // Who isn't taken, leaves the place to others, as with QEMU.
            do
                channel = Upgrade(listener.Accept(_incomingCancellation.Token), listener.Waits);
            while (channel is null);
        }

        using (channel)
        using (_incomingCancellation.Token.Register(channel.Shutdown))
            Load(channel, population);
    }

    private void RunMultifd(MemoryAhead population)
    {
        using var listener = _incomingListener!;
        using var channels = new IncomingChannels(
            listener, Parameters.MultifdChannels, _machine.Uuid, () => new MemoryPacketSink(() => _incomingLoader?.ListedBlocks, population), upgrade: c => Upgrade(c, goesOn: true));
        using var channel = channels.WaitForMain(_incomingCancellation.Token, out var read);
        using (_incomingCancellation.Token.Register(channel.Shutdown))
        using (_incomingCancellation.Token.Register(channels.Shutdown))
            Load(channel, population, channels, read);
    }

    /// <returns>Null: it is nobody's whom TLS lets in.</returns>
    /// <exception cref="IOException">The same, where nobody else can come.</exception>
    private Channel? Upgrade(Channel channel, bool goesOn)
    {
        try
        {
            return TlsUpgrade.Incoming(channel, Parameters, Objects, _incomingCancellation.Token);
        }
        catch (TlsRefusedException e) when (goesOn)
        {
            Reported?.Invoke(e.Message);
            return null;
        }
    }

    private void Load(Channel channel, MemoryAhead population, IncomingChannels? multifd = null, ReadOnlySpan<byte> read = default)
    {
        population.Wait();
        SetIncoming(MigrationStatus.Active, null);
        var mode = Capabilities["switchover-ack"] ? SwitchoverAckMode.Auto : SwitchoverAckMode.Off;
        var migration = new IncomingMigration(channel, mode, _machine.LiveSections.Count(s => s.NeedsSwitchoverAck)) { TakesMultifd = multifd is not null, HasMultifd = multifd is not null, TakesMappedRam = true };
        var meetings = multifd is null ? null : new MultifdMeetings(multifd);
        if (Capabilities["mapped-ram"])
            PageFile.RequirePlaces(channel.File, channel.Name);
        var mapped = Capabilities["mapped-ram"] ? new MappedRamLoader(channel.File, population) : null;
        var address = _incomingListener!.Address;
        using var lazy = mapped is not null && Capabilities["postcopy-ram"] ? OpenLazy(channel, address) : null;
        using var stop = _incomingCancellation.Token.Register(() => mapped?.Shutdown());
        using var stopLazy = _incomingCancellation.Token.Register(() => lazy?.Shutdown());
        using var loader = new IncomingLoader(_machine, Capabilities, Parameters, address, channel, migration, population, meetings, mapped, lazy, read);
        _incomingLoader = loader;
        try
        {
            loader.Load();
            _incomingCancellation.Token.ThrowIfCancellationRequested();
        }
        catch (Exception e)
        {
            var cause = multifd?.Failure ?? e;
            migration.Fail();
            multifd?.Shutdown();
            loader.Cleanup();
            FailIncoming(cause);
            return;
        }

        // The source gives its guest up when it hears this. Where it can't be told it may have the guest still: two must not run.
        try
        {
            migration.Complete();
        }
        catch (IOException e)
        {
            loader.Cleanup();
            _machine.HoldIncoming();
            SetIncoming(MigrationStatus.Failed, $"the guest came whole and is held: the source could not be told, and may still run it ({e.Message})");
            return;
        }

        if (lazy is not null)
        {
            SetIncoming(MigrationStatus.PostcopyActive, null);
            _machine.StartIncoming();
            loader.Cleanup();
            ReadRest(lazy);
            return;
        }

        _machine.StartIncoming();
        loader.Cleanup();
        SetIncoming(MigrationStatus.Completed, null);
        loader.WaitForSource();
    }

    /// <summary>All that is needed is open before the guest runs: what can't be opened loses no guest.</summary>
    private LazyRestore OpenLazy(Channel channel, MigrationUri address)
    {
        var multifd = Capabilities["multifd"];
        var files = new List<SafeFileHandle>();
        try
        {
            for (var i = 0; i < (multifd ? Parameters.MultifdChannels : 1); i++)
                files.Add(PageFile.Open(channel.File, address, write: false, direct: multifd && Parameters.DirectIo));
            return new LazyRestore(PageFile.Open(channel.File, address, write: false, direct: false), files, address.Path, () => Parameters.MaxPostcopyBandwidth);
        }
        catch
        {
            files.ForEach(f => f.Dispose());
            throw;
        }
    }

    private void ReadRest(LazyRestore lazy)
    {
        try
        {
            lazy.ReadRest();
        }
        catch (PageLostException e)
        {
            _machine.LoseIncoming();
            SetIncoming(MigrationStatus.Failed, $"the guest is lost, as its memory is no longer in the file: {e.Message}");
            return;
        }

        SetIncoming(MigrationStatus.Completed, null);
    }

    private void FailIncoming(Exception e)
    {
        if (_incomingCancellation.IsCancellationRequested)
            return;
        var reason = e is MigrationStreamException or IOException or MigrationRefusedException
            ? e.Message
            : $"a part of the machine failed to load: {e.GetType().Name}: {e.Message}";
        _machine.DiscardIncoming();
        SetIncoming(MigrationStatus.Failed, reason);
        if (_incomingExits)
            _incomingFailed.TrySetResult(reason);
    }
}
