using System.Text.Json;
using Godwit.Cli.Output;

namespace Godwit.Cli.Migrate;

/// <summary>A migration when it is over.</summary>
internal static class MigrateSummary
{
    public static TextTable Table(MigrationSample last, string uri)
    {
        var table = new TextTable($"migration to {uri}: {last.Status}", "", ">");
        table.Row("total time", Milliseconds(last.TotalTime));
        table.Row("setup", Milliseconds(last.SetupTime));
        table.Row("downtime", Milliseconds(last.Downtime));
        table.Row("rounds", Units.Count(last.Round));
        table.Row("sent", Units.Bytes(last.Transferred));
        table.Row("pages normal", Units.Count(last.Normal));
        table.Row("pages duplicate", Units.Count(last.Duplicate));
        table.Row("throughput", Units.Rate(last.Transferred, Time(last)));
        return table;
    }

    public static void PrintJson(MigrationSample last) => JsonOutput.Print(writer => WriteMembers(writer, last));

    public static void WriteMembers(Utf8JsonWriter writer, MigrationSample last)
    {
        writer.WriteString("status", last.Status);
        if (last.Error is not null)
            writer.WriteString("error", last.Error);
        if (last.TotalTime is { } total)
            writer.WriteNumber("total-time", total);
        if (last.SetupTime is { } setup)
            writer.WriteNumber("setup-time", setup);
        if (last.Downtime is { } downtime)
            writer.WriteNumber("downtime", downtime);
        writer.WriteNumber("rounds", last.Round);
        writer.WriteNumber("transferred", last.Transferred);
        writer.WriteNumber("pages-normal", last.Normal);
        writer.WriteNumber("pages-duplicate", last.Duplicate);
        writer.WriteNumber("bytes-per-second", Time(last) > TimeSpan.Zero ? Math.Round(last.Transferred / Time(last).TotalSeconds) : 0);
    }

    private static TimeSpan Time(MigrationSample last) => last.TotalTime is { } total ? TimeSpan.FromMilliseconds(total) : last.At;

    private static string Milliseconds(long? time) => time is { } ms ? Units.Time(TimeSpan.FromMilliseconds(ms)) : "-";
}
