using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Godwit.Migration;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>What <c>query-migrate</c> and <c>info migrate</c> say. Source: QEMU qapi/migration.json, MigrationInfo.</summary>
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

    public static string ToText(MigrationInfo info)
    {
        if (info.Status is not { } status || status == MigrationStatus.None)
            return "";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Status: \t\t{status.ToName()}{(info.ErrorDescription is { } error ? $" ({error})" : "")}\n");
        if (info.TotalTime is { } total)
        {
            text.Append(CultureInfo.InvariantCulture, $"Time (ms): \t\ttotal={total}");
            text.Append(Optional("setup", info.SetupTime)).Append(Optional("exp_down", info.ExpectedDowntime)).Append(Optional("down", info.Downtime)).Append('\n');
        }

        if (info.Ram is { } ram)
        {
            text.Append(CultureInfo.InvariantCulture, $"RAM info:\n  Throughput (Mbps): \t{ram.Mbps:F2}\n");
            text.Append(CultureInfo.InvariantCulture, $"  Sizes: \t\tpagesize=4 KiB, total={ram.Total >> 20} MiB\n");
            text.Append(CultureInfo.InvariantCulture, $"  Transfers: \t\ttransferred={ram.Transferred >> 10} KiB, remain={ram.Remaining >> 10} KiB\n");
            text.Append(CultureInfo.InvariantCulture, $"    Page Types: \tnormal={ram.Normal}, zero={ram.Duplicate}\n");
            text.Append(CultureInfo.InvariantCulture, $"  Page Rates (pps): \ttransfer={ram.PagesPerSecond}, dirty={ram.DirtyPagesRate}\n");
            text.Append(CultureInfo.InvariantCulture, $"  Others: \t\tdirty_syncs={ram.DirtySyncCount}\n");
        }

        return text.ToString();
    }

    private static string Optional(string name, long? value) => value is { } number ? string.Create(CultureInfo.InvariantCulture, $", {name}={number}") : "";

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
        ["multifd-bytes"] = 0,
        ["pages-per-second"] = ram.PagesPerSecond,
        ["precopy-bytes"] = ram.PrecopyBytes,
        ["downtime-bytes"] = ram.DowntimeBytes,
        ["postcopy-bytes"] = 0,
        ["dirty-sync-missed-zero-copy"] = 0,
    };
}
