using System.Globalization;
using System.Text.Json.Nodes;
using Godwit.Migration;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>What <c>query-migrate</c> says. Source: QEMU qapi/migration.json, MigrationInfo.</summary>
internal static class MigrationAnswer
{
    public static JsonObject ToJson(MigrationInfo info)
    {
        var answer = new JsonObject();
        if (info.Status is not { } status || status == MigrationStatus.None)
            return answer;
        answer["status"] = status.ToName();
        if (info.TotalTime is { } total)
            answer["total-time"] = total;
        if (info.ExpectedDowntime is { } expected)
            answer["expected-downtime"] = expected;
        if (info.Downtime is { } downtime)
            answer["downtime"] = downtime;
        if (info.SetupTime is { } setup)
            answer["setup-time"] = setup;
        if (info.CpuThrottlePercentage is { } throttle)
            answer["cpu-throttle-percentage"] = throttle;
        if (info.ErrorDescription is { } error)
            answer["error-desc"] = error;
        if (info.SocketAddress is { } address)
            answer["socket-address"] = new JsonArray(Socket(address));
        if (info.Ram is { } ram)
        {
            if (status != MigrationStatus.Completed)
                answer["remaining"] = ram.Remaining;
            answer["ram"] = Ram(ram);
        }

        if (info.XbzrleCache is { } cache)
        {
            answer["xbzrle-cache"] = new JsonObject
            {
                ["cache-size"] = cache.CacheSize,
                ["bytes"] = cache.Bytes,
                ["pages"] = cache.Pages,
                ["cache-miss"] = cache.CacheMiss,
                ["cache-miss-rate"] = cache.CacheMissRate,
                ["encoding-rate"] = cache.EncodingRate,
                ["overflow"] = cache.Overflow,
            };
        }

        return answer;
    }

    private static JsonObject Socket(MigrationUri address) => address.Scheme == MigrationScheme.Unix
        ? new() { ["path"] = address.Path, ["type"] = "unix" }
        : new() { ["port"] = address.Port.ToString(CultureInfo.InvariantCulture), [address.Host.Contains(':', StringComparison.Ordinal) ? "ipv6" : "ipv4"] = true, ["host"] = address.Host, ["type"] = "inet" };

    private static JsonObject Ram(RamInfo ram) => new()
    {
        ["transferred"] = ram.Transferred,
        ["remaining"] = ram.Remaining,
        ["total"] = ram.Total,
        ["duplicate"] = ram.Duplicate,
        ["normal"] = ram.Normal,
        ["normal-bytes"] = ram.NormalBytes,
        ["dirty-pages-rate"] = ram.DirtyPagesRate,
        ["mbps"] = ram.Mbps,
        ["dirty-sync-count"] = ram.DirtySyncCount,
        ["postcopy-requests"] = 0,
        ["page-size"] = 4096,
        ["multifd-bytes"] = ram.MultifdBytes,
        ["pages-per-second"] = ram.PagesPerSecond,
        ["precopy-bytes"] = ram.PrecopyBytes,
        ["downtime-bytes"] = ram.DowntimeBytes,
        ["postcopy-bytes"] = 0,
        ["dirty-sync-missed-zero-copy"] = ram.MissedZeroCopy,
    };
}
