using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>How a fault left both ends, before anybody did anything about it.</summary>
/// <param name="Source">Migration status and run state; <c>killed</c>.</param>
/// <param name="Destination">Run state; <c>exited</c>: the process gave up; <c>killed</c>.</param>
/// <param name="Told">What the source told meanwhile: the migration's states, STOP and RESUME.</param>
/// <param name="Members">Those of the source's last <c>query-migrate</c>.</param>
public sealed record FaultOutcome(string Source, string Destination, string Told, string Members)
{
    public bool RunsAtSource => Source.EndsWith(" running", StringComparison.Ordinal);

    public bool RunsAtDestination => Destination == "running";

    public override string ToString() => $"{Source} | {Destination} | {Told} | {Members}";

    /// <summary>Requires what QEMU 11.1 does as a source and Godwit as a destination; and of Godwit as a source that it holds what may live elsewhere.</summary>
    public void Require(string from, string to, FaultPlace place, Fault fault)
    {
        Assert.Contains(Source, Sources(from, place.Stage, fault));
        Assert.Contains(Destination, Destinations(to, place.Stage, fault));
        // A QEMU goes on wherever it isn't told that the guest was taken; and starts what lacks its description.
        if (from == "godwit" || (to == "godwit" && place.Stage != FaultStage.ShutIsLost))
            Assert.False(RunsAtSource && RunsAtDestination);
        if (Source == "killed")
            return;
        var end = Source.Split(' ')[0];
        // In a QEMU a cancellation may find a failure that isn't over.
        Assert.Matches($"^setup (active )?(STOP (device )?)?(failing |cancelling |failing cancelling )(RESUME )?{end}$", Told);
        Assert.Equal(RunsAtSource && Told.Contains("STOP", StringComparison.Ordinal), Told.Contains("RESUME", StringComparison.Ordinal));
        Assert.Contains(Members, end == "failed" ? ["status error-desc"] : new[] { "status", "status error-desc" });
    }

    private static string[] Sources(string from, FaultStage stage, Fault fault)
    {
        if (fault == Fault.SourceKilled)
            return ["killed"];
        var goesOn = fault == Fault.Stall ? "cancelled running" : "failed running";
        if (from == "qemu" || stage < FaultStage.Switchover)
            return [goesOn];
        return stage == FaultStage.Switchover ? [goesOn, "failed postmigrate"] : ["failed postmigrate"];
    }

    private static string[] Destinations(string to, FaultStage stage, Fault fault)
    {
        if (fault == Fault.DestinationKilled)
            return ["killed"];
        return stage switch
        {
            <= FaultStage.Switchover => ["exited"],
            FaultStage.ShutIsLost => ["running"],
            _ when to == "qemu" => ["running"],
            FaultStage.NoWayBack => ["paused"],
            // Without any description it is whole.
            _ => ["exited", "paused"],
        };
    }
}
