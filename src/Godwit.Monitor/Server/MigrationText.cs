using System.Globalization;
using System.Text;
using Godwit.Migration;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>What <c>info migrate</c> says, line by line as QEMU 11.1's. Source: QEMU migration/migration-hmp-cmds.c.</summary>
internal static class MigrationText
{
    /// <param name="all">With the cache and the throttle (<c>info migrate -a</c>).</param>
    public static string Of(MigrationInfo info, bool all)
    {
        if (info.Status is not { } status || status == MigrationStatus.None)
            return "";
        var text = new StringBuilder();
        var error = status == MigrationStatus.Failed && info.ErrorDescription is { } reason ? $" ({reason})" : "";
        Line(text, $"Status: \t\t{status.ToName()}{error}");
        if (info.TotalTime is { } total)
            Line(text, $"Time (ms): \t\ttotal={total}{Optional("setup", info.SetupTime)}{Optional("exp_down", info.ExpectedDowntime)}{Optional("down", info.Downtime)}");
        if (info.SocketAddress is { } address)
            Line(text, $"Sockets: [\n\t{address}\n]");
        if (info.Ram is { } ram)
            Ram(text, ram);
        if (!all)
            return text.ToString();
        if (info.XbzrleCache is { } cache)
        {
            Line(text, $"XBZRLE: size={cache.CacheSize}, transferred={cache.Bytes}, pages={cache.Pages}, miss={cache.CacheMiss}");
            Line(text, $"  miss_rate={cache.CacheMissRate:F2}, encode_rate={cache.EncodingRate:F2}, overflow={cache.Overflow}");
        }

        if (info.CpuThrottlePercentage is { } percent)
            Line(text, $"CPU Throttle (%): {percent}");
        return text.ToString();
    }

    private static void Ram(StringBuilder text, RamInfo ram)
    {
        Line(text, $"RAM info:");
        Line(text, $"  Throughput (Mbps): \t{ram.Mbps:F2}");
        Line(text, $"  Sizes: \t\tpagesize=4 KiB, total={Size(ram.Total)}");
        Line(text, $"  Transfers: \t\ttransferred={Size(ram.Transferred)}, remain={Size(ram.Remaining)}");
        Line(text, $"    Channels: \t\tprecopy={Size(ram.PrecopyBytes)}, multifd={Size(ram.MultifdBytes)}, postcopy=0 B");
        Line(text, $"    Page Types: \tnormal={ram.Normal}, zero={ram.Duplicate}");
        Line(text, $"  Page Rates (pps): \ttransfer={ram.PagesPerSecond}{(ram.DirtyPagesRate == 0 ? null : Optional("dirty", ram.DirtyPagesRate))}");
        Line(text, $"  Others: \t\tdirty_syncs={ram.DirtySyncCount}{(ram.DowntimeBytes == 0 ? null : Optional("downtime_bytes", ram.DowntimeBytes))}");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Optional(string name, long? value) => value is { } number ? string.Create(CultureInfo.InvariantCulture, $", {name}={number}") : "";

    /// <summary>Three digits, and a unit from B to EiB that leaves no more than four (QEMU: <c>size_to_str</c>).</summary>
    private static string Size(long bytes)
    {
        string[] units = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        // QEMU rounds 1000 and more to a power of ten, too: 1.02e+03.
        var unit = bytes == 0 ? 0 : System.Numerics.BitOperations.Log2((ulong)bytes) / 10;
        var value = bytes / (double)(1L << (unit * 10));
        var digits = value.ToString("G3", CultureInfo.InvariantCulture).Replace('E', 'e');
        return $"{digits} {units[unit]}B";
    }
}
