namespace Godwit.Migration;

/// <summary>The states of a migration that its destination goes through, by QEMU's names. Source: QEMU qapi/migration.json, MigrationStatus.</summary>
public enum MigrationStatus
{
    Setup,
    Active,

    /// <summary>The source's guest stands still; the device state is under way.</summary>
    Device,
    Completed,
    Failed,
}
