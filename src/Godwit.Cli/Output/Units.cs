using System.Globalization;

namespace Godwit.Cli.Output;

/// <summary>Figures for people.</summary>
internal static class Units
{
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Bytes with the unit that leaves one to four digits.</summary>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Binary.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        var format = bytes == Math.Floor(bytes) || unit == 0 ? "0" : "0.0";
        return $"{bytes.ToString(format, CultureInfo.InvariantCulture)} {Binary[unit]}";
    }

    public static string Rate(double bytes, TimeSpan time) => time > TimeSpan.Zero ? $"{Bytes(bytes / time.TotalSeconds)}/s" : "-";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Time(TimeSpan time) => time.TotalSeconds < 1
        ? $"{time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)} ms"
        : $"{time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)} s";
}
