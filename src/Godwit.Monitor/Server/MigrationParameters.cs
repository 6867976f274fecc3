using System.Numerics;
using System.Text.Json.Nodes;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>All of QEMU 11.1's migration parameters: those that the engine heeds, and those it doesn't, which keep QEMU's defaults.
/// Source: QEMU migration/options.c, migrate_params_check.</summary>
internal static class MigrationParameters
{
    /// <summary>Known by name only; another value than this is refused.</summary>
    private static JsonObject Fixed => new()
    {
        ["tls-creds"] = "",
        ["tls-hostname"] = "",
        ["tls-authz"] = "",
        ["x-checkpoint-delay"] = 20000,
        ["multifd-channels"] = 2,
        ["multifd-compression"] = "none",
        ["multifd-zlib-level"] = 1,
        ["multifd-zstd-level"] = 1,
        ["multifd-qatzip-level"] = 1,
        ["max-postcopy-bandwidth"] = 0,
        ["x-rdma-chunk-size"] = 1 << 20,
        ["mode"] = "normal",
        ["zero-page-detection"] = "multifd",
        ["direct-io"] = false,
        ["cpr-exec-command"] = new JsonArray(),
    };

    public static JsonObject Describe(Parameters p)
    {
        var all = new JsonObject
        {
            ["announce-initial"] = p.AnnounceInitial,
            ["announce-max"] = p.AnnounceMax,
            ["announce-rounds"] = p.AnnounceRounds,
            ["announce-step"] = p.AnnounceStep,
            ["throttle-trigger-threshold"] = p.ThrottleTriggerThreshold,
            ["cpu-throttle-initial"] = p.CpuThrottleInitial,
            ["cpu-throttle-increment"] = p.CpuThrottleIncrement,
            ["cpu-throttle-tailslow"] = p.CpuThrottleTailslow,
            ["max-cpu-throttle"] = p.MaxCpuThrottle,
            ["max-bandwidth"] = p.MaxBandwidth,
            ["avail-switchover-bandwidth"] = p.AvailSwitchoverBandwidth,
            ["downtime-limit"] = p.DowntimeLimit,
            ["xbzrle-cache-size"] = p.XbzrleCacheSize,
            ["x-vcpu-dirty-limit-period"] = p.VcpuDirtyLimitPeriod,
            ["vcpu-dirty-limit"] = p.VcpuDirtyLimit,
        };
        foreach (var (name, value) in Fixed)
            all[name] = value?.DeepClone();
        return all;
    }

    /// <summary>Reads all that is given, and only then checks what would result.</summary>
    /// <exception cref="QmpError">It isn't allowed; nothing has changed.</exception>
    public static Parameters Apply(Parameters p, QmpArguments given)
    {
        foreach (var name in given.Names.ToList())
        {
            p = name switch
            {
                "announce-initial" => p with { AnnounceInitial = given.Unsigned(name, 64) },
                "announce-max" => p with { AnnounceMax = given.Unsigned(name, 64) },
                "announce-rounds" => p with { AnnounceRounds = given.Unsigned(name, 64) },
                "announce-step" => p with { AnnounceStep = given.Unsigned(name, 64) },
                "throttle-trigger-threshold" => p with { ThrottleTriggerThreshold = (int)given.Unsigned(name, 8) },
                "cpu-throttle-initial" => p with { CpuThrottleInitial = (int)given.Unsigned(name, 8) },
                "cpu-throttle-increment" => p with { CpuThrottleIncrement = (int)given.Unsigned(name, 8) },
                "cpu-throttle-tailslow" => p with { CpuThrottleTailslow = given.Bool(name) },
                "max-cpu-throttle" => p with { MaxCpuThrottle = (int)given.Unsigned(name, 8) },
                "max-bandwidth" => p with { MaxBandwidth = given.Unsigned(name, 64) },
                "avail-switchover-bandwidth" => p with { AvailSwitchoverBandwidth = given.Unsigned(name, 64) },
                "downtime-limit" => p with { DowntimeLimit = given.Unsigned(name, 64) },
                "xbzrle-cache-size" => p with { XbzrleCacheSize = given.Unsigned(name, 64) },
                "x-vcpu-dirty-limit-period" => p with { VcpuDirtyLimitPeriod = given.Unsigned(name, 64) },
                "vcpu-dirty-limit" => p with { VcpuDirtyLimit = given.Unsigned(name, 64) },
                _ => p,
            };
        }

        foreach (var (name, standing) in Fixed)
        {
            if (given.Has(name))
                RequireDefault(given, name, standing!);
        }

        given.Finish();
        Check(p);
        return p;
    }

    private static void RequireDefault(QmpArguments given, string name, JsonNode standing)
    {
        var value = given.Get(name);
        switch (name)
        {
            case "tls-creds" or "tls-hostname" or "tls-authz" when value is null:
                return;
            case "tls-creds" or "tls-hostname" or "tls-authz" when value is not JsonValue text || !text.TryGetValue<string>(out _):
                throw given.Type(name, "StrOrNull");
            case "mode":
                given.Enumeration(name, "normal", "cpr-reboot", "cpr-transfer", "cpr-exec");
                break;
            case "zero-page-detection":
                given.Enumeration(name, "none", "legacy", "multifd");
                break;
            case "multifd-compression":
                given.Enumeration(name, "none", "zlib", "zstd");
                break;
            case "direct-io":
                given.Bool(name);
                break;
            case "cpr-exec-command":
                given.Strings(name);
                break;
            case "x-checkpoint-delay":
                given.Unsigned(name, 32);
                break;
            case "multifd-channels":
                Range(given.Unsigned(name, 8), 1, 255, name);
                break;
            case "multifd-zlib-level":
                Range(given.Unsigned(name, 8), 0, 9, name);
                break;
            case "multifd-zstd-level":
                Range(given.Unsigned(name, 8), 0, 20, name);
                break;
            case "multifd-qatzip-level":
                Range(given.Unsigned(name, 8), 1, 9, name);
                break;
            case "x-rdma-chunk-size" when !BitOperations.IsPow2(given.Unsigned(name, 64)) || given.Unsigned(name, 64) is < 1 << 20 or > 1 << 30:
                throw new QmpError("Option x_rdma_chunk_size expects a power of 2 in the range 1MiB to 1024MiB");
            case "max-postcopy-bandwidth":
                given.Unsigned(name, 64);
                break;
        }

        if (!string.Equals(value!.ToJsonString(), standing.ToJsonString(), StringComparison.Ordinal))
            throw new QmpError($"Parameter '{name}' is not supported with another value than {standing.ToJsonString()}");
    }

    private static void Check(Parameters p)
    {
        Percent(p.ThrottleTriggerThreshold, 1, 100, "throttle-trigger-threshold", "1");
        Percent(p.CpuThrottleInitial, 1, 99, "cpu-throttle-initial", "1");
        Percent(p.CpuThrottleIncrement, 1, 99, "cpu-throttle-increment", "1");
        if (p.DowntimeLimit > 2000 * 1000)
            throw new QmpError("Option downtime-limit expects an integer in the range of 0 to (2000 * 1000) ms");
        if (p.XbzrleCacheSize < 4096 || p.XbzrleCacheSize > long.MaxValue || !BitOperations.IsPow2(p.XbzrleCacheSize))
            throw new QmpError("Option xbzrle-cache-size expects a power of two no less than the target page size");
        Percent(p.MaxCpuThrottle, p.CpuThrottleInitial, 99, "max-cpu-throttle", "cpu-throttle-initial");
        Range(p.AnnounceInitial, 0, 100000, "announce-initial");
        Range(p.AnnounceMax, 0, 100000, "announce-max");
        Range(p.AnnounceRounds, 0, 1000, "announce-rounds");
        if (p.AnnounceStep is < 1 or > 10000)
            throw new QmpError("Option announce-step expects a value between 0 and 10000");
        Range(p.VcpuDirtyLimitPeriod, 1, 1000, "x-vcpu-dirty-limit-period");
        if (p.VcpuDirtyLimit < 1)
            throw new QmpError("Parameter 'vcpu-dirty-limit' must be greater than 1 MB/s");
    }

    private static void Percent(int value, int least, int most, string name, string leastName)
    {
        if (value < least || value > most)
            throw new QmpError($"Option {name} expects an integer in the range of {leastName} to {most}");
    }

    private static void Range(ulong value, ulong least, ulong most, string name)
    {
        if (value < least || value > most)
            throw new QmpError($"Option {name} expects a value between {least} and {most}");
    }
}
