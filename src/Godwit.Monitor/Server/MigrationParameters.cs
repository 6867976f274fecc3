using System.Numerics;
using System.Text.Json.Nodes;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>All of QEMU 11.1's migration parameters: those that the engine heeds, and those that are kept for whoever asks. For any thread.
/// Source: QEMU migration/options.c, migrate_params_check.</summary>
internal sealed class MigrationParameters(Migrator migrator)
{
    private readonly Lock _lock = new();

    /// <summary>Of capabilities and devices that aren't here: what they are set to changes nothing.</summary>
    private JsonObject _kept = new()
    {
        ["x-checkpoint-delay"] = 20000UL,
        ["multifd-qatzip-level"] = 1UL,
        ["x-rdma-chunk-size"] = 1UL << 20,
        ["mode"] = "normal",
        ["cpr-exec-command"] = new JsonArray(),
    };

    public JsonObject Describe()
    {
        lock (_lock)
        {
            var p = migrator.Parameters;
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
                ["max-postcopy-bandwidth"] = p.MaxPostcopyBandwidth,
                ["avail-switchover-bandwidth"] = p.AvailSwitchoverBandwidth,
                ["downtime-limit"] = p.DowntimeLimit,
                ["xbzrle-cache-size"] = p.XbzrleCacheSize,
                ["x-vcpu-dirty-limit-period"] = p.VcpuDirtyLimitPeriod,
                ["vcpu-dirty-limit"] = p.VcpuDirtyLimit,
                ["multifd-channels"] = (ulong)p.MultifdChannels,
                ["multifd-compression"] = Name(p.MultifdCompression),
                ["multifd-zlib-level"] = (ulong)p.MultifdZlibLevel,
                ["multifd-zstd-level"] = (ulong)p.MultifdZstdLevel,
                ["zero-page-detection"] = Name(p.ZeroPageDetection),
                ["direct-io"] = p.DirectIo,
                ["tls-creds"] = p.TlsCreds,
                ["tls-hostname"] = p.TlsHostname,
                ["tls-authz"] = p.TlsAuthz,
            };
            foreach (var (name, value) in _kept)
                all[name] = value?.DeepClone();
            return all;
        }
    }

    /// <summary>Reads all that is given, and only then checks what would result.</summary>
    /// <exception cref="QmpError">It isn't allowed; nothing has changed.</exception>
    public void Set(QmpArguments given)
    {
        lock (_lock)
        {
            var next = migrator.Parameters;
            var kept = (JsonObject)_kept.DeepClone();
            foreach (var name in given.Names.ToList())
            {
                if (Heed(next, name, given) is { } changed)
                    next = changed;
                else if (Read(name, given) is { } value)
                    kept[name] = value;
            }

            given.Finish();
            Check(next, kept);
            if (migrator.Capabilities["zero-copy-send"] && (next.MultifdCompression != MultifdCompression.None || next.TlsCreds.Length > 0))
                throw new QmpError("Zero copy only available for non-compressed non-TLS multifd migration");
            // By what was set before: QEMU's check doesn't look at what is being set.
            if (migrator.Capabilities["mapped-ram"] && (migrator.Parameters.MultifdCompression != MultifdCompression.None || migrator.Parameters.TlsCreds.Length > 0))
                throw new QmpError("Mapped-ram only available for non-compressed non-TLS multifd migration");
            migrator.Parameters = next;
            _kept = kept;
        }
    }

    /// <returns>Null: it isn't one that the engine heeds.</returns>
    private static Parameters? Heed(Parameters p, string name, QmpArguments given) => name switch
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
        "max-postcopy-bandwidth" => p with { MaxPostcopyBandwidth = given.Unsigned(name, 64) },
        "avail-switchover-bandwidth" => p with { AvailSwitchoverBandwidth = given.Unsigned(name, 64) },
        "downtime-limit" => p with { DowntimeLimit = given.Unsigned(name, 64) },
        "xbzrle-cache-size" => p with { XbzrleCacheSize = given.Unsigned(name, 64) },
        "x-vcpu-dirty-limit-period" => p with { VcpuDirtyLimitPeriod = given.Unsigned(name, 64) },
        "vcpu-dirty-limit" => p with { VcpuDirtyLimit = given.Unsigned(name, 64) },
        "multifd-channels" => p with { MultifdChannels = (int)given.Unsigned(name, 8) },
        "multifd-compression" => p with { MultifdCompression = Enumeration<MultifdCompression>(given, name) },
        "multifd-zlib-level" => p with { MultifdZlibLevel = (int)given.Unsigned(name, 8) },
        "multifd-zstd-level" => p with { MultifdZstdLevel = (int)given.Unsigned(name, 8) },
        "zero-page-detection" => p with { ZeroPageDetection = Enumeration<ZeroPageDetection>(given, name) },
        "direct-io" => p with { DirectIo = given.Bool(name) },
        "tls-creds" => p with { TlsCreds = given.StringOrNull(name) },
        "tls-hostname" => p with { TlsHostname = given.StringOrNull(name) },
        "tls-authz" => p with { TlsAuthz = given.StringOrNull(name) },
        _ => null,
    };

    /// <returns>Null: there is no such parameter.</returns>
    private static JsonNode? Read(string name, QmpArguments given) => name switch
    {
        "mode" => given.Enumeration(name, "normal", "cpr-reboot", "cpr-transfer", "cpr-exec"),
        "cpr-exec-command" => new JsonArray([.. given.Strings(name).Select(w => (JsonNode)w)]),
        "x-checkpoint-delay" => given.Unsigned(name, 32),
        "multifd-qatzip-level" => given.Unsigned(name, 8),
        "x-rdma-chunk-size" => given.Unsigned(name, 64),
        "block-bitmap-mapping" when given.List(name).Count == 0 => new JsonArray(),
        "block-bitmap-mapping" => throw new QmpError("Parameter 'block-bitmap-mapping' is not supported"),
        _ => null,
    };

    private static void Check(Parameters p, JsonObject kept)
    {
        Range((ulong)p.ThrottleTriggerThreshold, 1, 100, "throttle-trigger-threshold", "an integer in the range of 1 to 100");
        Range((ulong)p.CpuThrottleInitial, 1, 99, "cpu-throttle-initial", "an integer in the range of 1 to 99");
        Range((ulong)p.CpuThrottleIncrement, 1, 99, "cpu-throttle-increment", "an integer in the range of 1 to 99");
        Range(p.DowntimeLimit, 0, 2000 * 1000, "downtime-limit", "an integer in the range of 0 to (2000 * 1000) ms");
        Range((ulong)p.MultifdChannels, 1, 255, "multifd-channels");
        Range((ulong)p.MultifdZlibLevel, 0, 9, "multifd-zlib-level");
        Range((ulong)kept["multifd-qatzip-level"]!, 1, 9, "multifd-qatzip-level");
        Range((ulong)p.MultifdZstdLevel, 0, 20, "multifd-zstd-level");
        if (p.XbzrleCacheSize < 4096 || !BitOperations.IsPow2(p.XbzrleCacheSize))
            throw new QmpError("Option xbzrle-cache-size expects a power of two no less than the target page size");
        Range((ulong)p.MaxCpuThrottle, (ulong)p.CpuThrottleInitial, 99, "max-cpu-throttle", "an integer in the range of cpu-throttle-initial to 99");
        Range(p.AnnounceInitial, 0, 100000, "announce-initial");
        Range(p.AnnounceMax, 0, 100000, "announce-max");
        Range(p.AnnounceRounds, 0, 1000, "announce-rounds");
        Range(p.AnnounceStep, 1, 10000, "announce-step", "a value between 0 and 10000");
        var chunk = (ulong)kept["x-rdma-chunk-size"]!;
        if (chunk is < 1 << 20 or > 1 << 30 || !BitOperations.IsPow2(chunk))
            throw new QmpError("Option x_rdma_chunk_size expects a power of 2 in the range 1MiB to 1024MiB");
        Range(p.VcpuDirtyLimitPeriod, 1, 1000, "x-vcpu-dirty-limit-period");
        if (p.VcpuDirtyLimit < 1)
            throw new QmpError("Parameter 'vcpu-dirty-limit' must be greater than 1 MB/s");
        // Kept like the others this would be a promise.
        if ((string)kept["mode"]! is not "normal" and var mode)
            throw new QmpError($"Parameter 'mode' is not supported with value '{mode}'");
    }

    private static T Enumeration<T>(QmpArguments given, string name)
        where T : struct, Enum => Enum.Parse<T>(given.Enumeration(name, [.. Enum.GetValues<T>().Select(Name)]), ignoreCase: true);

    /// <summary>QEMU's spelling.</summary>
    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static void Range(ulong value, ulong least, ulong most, string name, string? expected = null)
    {
        if (value < least || value > most)
            throw new QmpError($"Option {name} expects {expected ?? $"a value between {least} and {most}"}");
    }
}
