using Godwit.Cli.Migrate;
using Godwit.Cli.Output;

namespace Godwit.Cli.Demo;

/// <summary>The move, as the source and the guest saw it.</summary>
/// <param name="Migration">The source's last word.</param>
/// <param name="Took">The whole demonstration.</param>
/// <param name="Problem">What went wrong with the guest; null: nothing.</param>
internal sealed record DemoSummary(MigrationSample Migration, MovedGuest Guest, TimeSpan Took, string? Problem)
{
    private Heartbeat Last => Guest.Before.Last();

    private Heartbeat First => Guest.After.First();

    private long PagesChecked => Guest.After.Last().Checks - Last.Checks;

    private TimeSpan Clock => TimeSpan.FromTicks(First.Time - Last.Time);

    public void Print()
    {
        var table = new TextTable(Problem is null ? "the guest went on without a lost byte" : "the guest did NOT go on", "", ">");
        table.Row("total time", Units.Time(TimeSpan.FromMilliseconds(Migration.TotalTime ?? 0)));
        table.Row("downtime, as the source reports it", Units.Time(TimeSpan.FromMilliseconds(Migration.Downtime ?? 0)));
        table.Row("the guest stood, as it saw by the calendar", Units.Time(Guest.Stood));
        table.Row("rounds over memory", Units.Count(Migration.Round));
        table.Row("sent", Units.Bytes(Migration.Transferred));
        table.Row("pages with content, without", $"{Units.Count(Migration.Normal)}, {Units.Count(Migration.Duplicate)}");
        table.Row("last beat there, first here", $"{Last.Beat}, {First.Beat}");
        table.Row("guest time between them", Units.Time(Clock));
        table.Row("pages checked by the guest since", Units.Count(PagesChecked));
        table.Row("errors it found", Units.Count(Guest.After.Last().Errors));
        table.Row("demo took", Units.Time(Took));
        table.Print(Console.Out, Terminal.OutputIsTerminal);
    }

    public void PrintJson() => JsonOutput.Print(writer =>
    {
        MigrateSummary.WriteMembers(writer, Migration);
        writer.WriteNumber("guest-downtime", Guest.Stood.TotalMilliseconds);
        writer.WriteNumber("guest-last-beat", Last.Beat);
        writer.WriteNumber("guest-first-beat", First.Beat);
        writer.WriteNumber("guest-time-between", Clock.TotalMilliseconds);
        writer.WriteNumber("guest-pages-checked", PagesChecked);
        writer.WriteNumber("guest-errors", Guest.After.Last().Errors);
        writer.WriteNumber("demo-time", Math.Round(Took.TotalMilliseconds));
        if (Problem is not null)
            writer.WriteString("problem", Problem);
    });
}
