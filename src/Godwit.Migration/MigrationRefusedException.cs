namespace Godwit.Migration;

/// <summary>A command that can't be followed as things stand; nothing was changed. The message is the one QEMU gives.</summary>
public sealed class MigrationRefusedException(string message) : Exception(message);
