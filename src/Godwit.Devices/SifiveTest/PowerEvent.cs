namespace Godwit.Devices.SifiveTest;

/// <summary>What the guest wants of the machine's power.</summary>
public enum PowerEventKind
{
    Shutdown,
    Reset,
}

/// <summary>The guest asks to be switched off or reset.</summary>
/// <param name="ExitCode">Of the machine's process, for a shutdown: 0 to 65535.</param>
/// <param name="IsFailure">The guest says that it failed (QEMU: shutdown cause <c>guest-panic</c> instead of <c>guest-shutdown</c>).</param>
public readonly record struct PowerEvent(PowerEventKind Kind, int ExitCode = 0, bool IsFailure = false);
