using System.Text.Json;

namespace Godwit.Cli.Migrate;

/// <summary>What <c>query-migrate</c> told at a moment (QEMU: <c>MigrationInfo</c>). Sizes in bytes, times in milliseconds.</summary>
/// <param name="At">Since the migration began.</param>
internal sealed record MigrationSample(TimeSpan At, string Status)
{
    public long Round { get; init; }

    public long Total { get; init; }

    public long Remaining { get; init; }

    public long Transferred { get; init; }

    public long Normal { get; init; }

    public long Duplicate { get; init; }

    /// <summary>Sent so far: with their content, as zero, or as a difference.</summary>
    public long Pages { get; init; }

    public long PageSize { get; init; } = 4096;

    /// <summary>Pages a second, as the machine measured it last; 0 before.</summary>
    public long DirtyRate { get; init; }

    /// <summary>Megabits a second over the machine's last period.</summary>
    public double Mbps { get; init; }

    public long? ExpectedDowntime { get; init; }

    public long? Downtime { get; init; }

    public long? TotalTime { get; init; }

    public long? SetupTime { get; init; }

    public long Throttle { get; init; }

    public string? Error { get; init; }

    public bool IsOver => Status is "completed" or "failed" or "cancelled" or "postcopy-paused";

    public static MigrationSample Read(JsonElement info, TimeSpan at)
    {
        var ram = info.TryGetProperty("ram", out var found) ? found : default;
        var differences = info.TryGetProperty("xbzrle-cache", out var cache) ? Number(cache, "pages") ?? 0 : 0;
        return new MigrationSample(at, info.TryGetProperty("status", out var status) ? status.GetString()! : "none")
        {
            Round = Number(ram, "dirty-sync-count") ?? 0,
            Total = Number(ram, "total") ?? 0,
            Remaining = Number(ram, "remaining") ?? 0,
            Transferred = Number(ram, "transferred") ?? 0,
            Normal = Number(ram, "normal") ?? 0,
            Duplicate = Number(ram, "duplicate") ?? 0,
            Pages = (Number(ram, "normal") ?? 0) + (Number(ram, "duplicate") ?? 0) + differences,
            PageSize = Number(ram, "page-size") ?? 4096,
            DirtyRate = Number(ram, "dirty-pages-rate") ?? 0,
            Mbps = ram.ValueKind == JsonValueKind.Object && ram.TryGetProperty("mbps", out var mbps) ? Math.Max(0, mbps.GetDouble()) : 0,
            ExpectedDowntime = Number(info, "expected-downtime"),
            Downtime = Number(info, "downtime"),
            TotalTime = Number(info, "total-time"),
            SetupTime = Number(info, "setup-time"),
            Throttle = Number(info, "cpu-throttle-percentage") ?? 0,
            Error = info.TryGetProperty("error-desc", out var error) ? error.GetString() : null,
        };
    }

    private static long? Number(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : null;
}
