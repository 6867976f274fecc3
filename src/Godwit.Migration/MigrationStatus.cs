namespace Godwit.Migration;

/// <summary>Where a migration is (QEMU: <c>MigrationStatus</c>, qapi/migration.json).</summary>
public enum MigrationStatus
{
    None,
    Setup,
    Cancelling,
    Cancelled,
    Active,
    PreSwitchover,

    /// <summary>The guest runs at the destination, and pages still come.</summary>
    PostcopyActive,
    Device,
    Completed,
    Failing,
    Failed,
}

/// <summary>QEMU's spelling.</summary>
public static class MigrationStatusName
{
    public static string ToName(this MigrationStatus status) => status switch
    {
        MigrationStatus.None => "none",
        MigrationStatus.Setup => "setup",
        MigrationStatus.Cancelling => "cancelling",
        MigrationStatus.Cancelled => "cancelled",
        MigrationStatus.Active => "active",
        MigrationStatus.PreSwitchover => "pre-switchover",
        MigrationStatus.PostcopyActive => "postcopy-active",
        MigrationStatus.Device => "device",
        MigrationStatus.Completed => "completed",
        MigrationStatus.Failing => "failing",
        _ => "failed",
    };
}
