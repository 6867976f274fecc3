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
        _ => "internal-error",
    };
}
