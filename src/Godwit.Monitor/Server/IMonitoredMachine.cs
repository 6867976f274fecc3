namespace Godwit.Monitor.Server;

/// <summary>What a monitor asks of a machine besides its migrations.</summary>
public interface IMonitoredMachine
{
    /// <summary>Null where none was given.</summary>
    string? Name { get; }

    Guid Uuid { get; }

    int HartCount { get; }

    /// <summary>The run state, in QEMU's spelling.</summary>
    string Status { get; }

    /// <exception cref="Migration.MigrationRefusedException">A migration holds it.</exception>
    void Continue();

    void Stop();

    void Reset();

    /// <summary>Presses the power button, which the board virt without ACPI doesn't have: the guest isn't told.</summary>
    void PowerDown();

    /// <summary>Tells clients that it will end, which QEMU does before it answers.</summary>
    void TellQuit();

    /// <summary>Ends the process.</summary>
    void Quit();
}
