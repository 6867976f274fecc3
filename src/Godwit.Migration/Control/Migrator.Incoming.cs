using Godwit.Migration.Channels;

namespace Godwit.Migration.Control;

public sealed partial class Migrator
{
    private readonly TaskCompletionSource<string> _incomingFailed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the error where an incoming migration failed and the process is to end (QEMU's exit-on-error).</summary>
    public Task<string> IncomingFailed => _incomingFailed.Task;

    /// <summary>Waits for a source at an address, and returns (option <c>-incoming</c>, QMP: <c>migrate-incoming</c>).</summary>
    /// <param name="exitOnError">Whether a failure completes <see cref="IncomingFailed"/>.</param>
    /// <exception cref="MigrationRefusedException">It waits already, or the address can't be listened on.</exception>
    public void Incoming(MigrationUri uri, bool exitOnError) => throw new NotSupportedException($"{uri} {exitOnError}");

    /// <summary>What an incoming migration has to tell; null where there was none.</summary>
    private static MigrationInfo? IncomingInfo() => null;

    private static void StopIncoming()
    {
    }
}
