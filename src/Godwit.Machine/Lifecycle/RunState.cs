namespace Godwit.Machine.Lifecycle;

/// <summary>What a machine is doing, as QEMU names it (<c>qapi/run-state.json</c>).</summary>
public enum RunState
{
    /// <summary>Made with -S, and not started yet.</summary>
    Prelaunch,

    Running,

    /// <summary>Stopped by whoever controls the machine.</summary>
    Paused,

    /// <summary>The guest powered off, and -no-shutdown keeps the machine.</summary>
    Shutdown,

    /// <summary>A defect of ours ended a hart.</summary>
    InternalError,

    /// <summary>Memory of the guest can't be read any more.</summary>
    IoError,

    /// <summary>Made to take another machine's state, which isn't all there yet.</summary>
    InMigrate,

    /// <summary>Stopped while the rest of its state goes to the other side.</summary>
    FinishMigrate,

    /// <summary>The other side has the guest.</summary>
    PostMigrate,
}

/// <summary>QEMU's spelling.</summary>
public static class RunStateName
{
    public static string ToName(this RunState state) => state switch
    {
        RunState.Prelaunch => "prelaunch",
        RunState.Running => "running",
        RunState.Paused => "paused",
        RunState.Shutdown => "shutdown",
        RunState.IoError => "io-error",
        RunState.InMigrate => "inmigrate",
        RunState.FinishMigrate => "finish-migrate",
        RunState.PostMigrate => "postmigrate",
        _ => "internal-error",
    };

    /// <summary>What a source's state becomes here. States that only QEMU has, and all of them stand, become <see cref="RunState.Paused"/>.</summary>
    /// <returns>False: QEMU has no such state, or a machine in it can't go on here.</returns>
    public static bool TryParse(string name, out RunState state)
    {
        RunState? found = name switch
        {
            "prelaunch" => RunState.Prelaunch,
            "running" => RunState.Running,
            "shutdown" => RunState.Shutdown,
            "internal-error" => RunState.InternalError,
            "postmigrate" => RunState.PostMigrate,
            "paused" or "finish-migrate" or "inmigrate" or "debug" or "io-error" or "restore-vm" or "save-vm" or "watchdog" or "guest-panicked" or "colo" => RunState.Paused,
            _ => null,
        };
        state = found ?? RunState.Paused;
        return found is not null;
    }
}
