using Godwit.Migration.Channels;

namespace Godwit.Migration.Control;

public sealed partial class Migrator
{
    /// <summary>Starts an outgoing migration and returns (QMP: <c>migrate</c>).</summary>
    /// <exception cref="MigrationRefusedException">One is under way, or the address can't be used.</exception>
    public void Migrate(MigrationUri uri) => throw new NotSupportedException(uri.ToString());

    /// <summary>Ends an outgoing migration; the guest goes on here (QMP: <c>migrate_cancel</c>).</summary>
    public void Cancel() => throw new NotSupportedException(_machine.MachineType);

    /// <summary>Lets a migration go on that waits in <paramref name="state"/> (QMP: <c>migrate-continue</c>).</summary>
    /// <exception cref="MigrationRefusedException">It isn't in that state.</exception>
    public void Continue(MigrationStatus state) => throw new NotSupportedException(_machine.MachineType + state);
}
