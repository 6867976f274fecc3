using Godwit.Migration.Channels;
using Godwit.Migration.Tls;

namespace Godwit.Migration.Control;

/// <summary>A machine's migrations, outgoing and incoming, as its monitor commands them. For any thread; nothing here waits for data.</summary>
public sealed partial class Migrator : IDisposable
{
    private readonly IMigratableMachine _machine;

    public Migrator(IMigratableMachine machine)
    {
        _machine = machine;
    }

    public Capabilities Capabilities { get; } = new();

    public Parameters Parameters { get; set; } = new();

    /// <summary>The objects that parameters name.</summary>
    public SecurityObjects Objects { get; } = new();

    /// <summary>Told, for people, of what ends nothing: that somebody who connected isn't taken.</summary>
    public Action<string>? Reported { get; set; }

    /// <summary>Told of each change of the state, in order.</summary>
    public Action<MigrationStatus>? StatusChanged { get; set; }

    /// <summary>Told of each round over memory, from 1.</summary>
    public Action<int>? PassStarted { get; set; }

    /// <exception cref="MigrationRefusedException">A capability is unknown or refused, or a migration is under way.</exception>
    public void SetCapabilities(IEnumerable<KeyValuePair<string, bool>> changes)
    {
        lock (_outgoingLock)
        {
            ThrowIfOutgoing();
            // A guest that has come may go on with channels that it didn't come by.
            Capabilities.Set(changes, Parameters, IncomingInfo()?.Status is MigrationStatus.Setup or MigrationStatus.Active);
        }
    }

    /// <summary>What the capabilities ask of an address. Source: QEMU migration/migration.c, migration_channels_and_transport_compatible.</summary>
    private void CheckTransport(MigrationUri uri)
    {
        var isFile = uri.Scheme == MigrationScheme.File;
        if (Capabilities["mapped-ram"] && !isFile)
            throw new MigrationRefusedException("Migration requires seekable transport (e.g. file)");
        if (Capabilities["multifd"] && uri.Scheme is not (MigrationScheme.Tcp or MigrationScheme.Unix) && !(isFile && Capabilities["mapped-ram"]))
            throw new MigrationRefusedException("Migration requires multi-channel URIs (e.g. tcp)");
        if (TlsUpgrade.IsWanted(Parameters) && Capabilities["mapped-ram"])
            throw new MigrationRefusedException("Cannot use TLS with mapped-ram");
        if (TlsUpgrade.IsWanted(Parameters) && isFile)
            throw new MigrationRefusedException("Cannot use TLS with file: a handshake takes somebody at the other end");
    }

    /// <returns>QMP: <c>query-migrate</c>, of both directions.</returns>
    public MigrationInfo Query() => _outgoing?.Info() ?? IncomingInfo() ?? new() { ExpectedDowntime = (long)Parameters.DowntimeLimit };

    public void Dispose()
    {
        StopOutgoing();
        StopIncoming();
    }
}
