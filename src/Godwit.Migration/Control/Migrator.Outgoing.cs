using Godwit.Migration.Channels;
using Godwit.Migration.Source;

namespace Godwit.Migration.Control;

public sealed partial class Migrator
{
    private readonly Lock _outgoingLock = new();
    private OutgoingMigration? _outgoing;

    /// <summary>Starts an outgoing migration and returns (QMP: <c>migrate</c>).</summary>
    /// <exception cref="MigrationRefusedException">One is under way, or the address can't be used.</exception>
    public void Migrate(MigrationUri uri)
    {
        lock (_outgoingLock)
        {
            ThrowIfOutgoing();
            CheckTransport(uri);
            if (Capabilities["mapped-ram"] && Capabilities["postcopy-ram"])
                throw new MigrationRefusedException("Mapped-ram migration is incompatible with postcopy: only what is restored from such a file can come as it is needed");
            if (Capabilities["mapped-ram"] && Parameters.MultifdCompression != MultifdCompression.None)
                throw new MigrationRefusedException("Cannot use compression with mapped-ram");
            _outgoing?.Dispose();
            _outgoing = new OutgoingMigration(
                _machine,
                uri,
                Capabilities,
                () => Parameters,
                Objects,
                status => StatusChanged?.Invoke(status),
                pass => PassStarted?.Invoke(pass));
            _outgoing.Start();
        }
    }

    /// <summary>Ends an outgoing migration; the guest goes on here (QMP: <c>migrate_cancel</c>). Where the destination is taking the guest already, only the
    /// waiting ends: the guest stays paused.</summary>
    public void Cancel() => _outgoing?.Cancel();

    /// <summary>Lets a migration go on that waits in <paramref name="state"/> (QMP: <c>migrate-continue</c>).</summary>
    /// <exception cref="MigrationRefusedException">It isn't in that state.</exception>
    public void Continue(MigrationStatus state)
    {
        var outgoing = _outgoing;
        if (state != MigrationStatus.PreSwitchover || outgoing?.Continue() != true)
            throw new MigrationRefusedException($"Migration not in expected state: {(outgoing?.Status ?? MigrationStatus.None).ToName()}");
    }

    /// <exception cref="MigrationRefusedException">One is under way.</exception>
    public void ThrowIfOutgoing()
    {
        if (_outgoing is { IsFinished: false })
            throw new MigrationRefusedException("There's a migration process in progress");
    }

    private void StopOutgoing()
    {
        _outgoing?.Cancel();
        _outgoing?.Dispose();
    }
}
