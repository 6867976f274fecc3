using System.Globalization;

namespace Godwit.Oracle.Tests;

/// <summary>For longer runs; README.md describes them.</summary>
internal static class OracleOptions
{
    public static ulong Seed { get; } = Number("GODWIT_ORACLE_SEED", 0x60d817);

    public static int Rounds { get; } = (int)Math.Clamp(Number("GODWIT_ORACLE_ROUNDS", 1), 1, 100000);

    /// <summary>Differences that a failure tells in full.</summary>
    public static int Shown { get; } = (int)Math.Min(Number("GODWIT_ORACLE_SHOWN", 20), 100000);

    /// <summary>A folder for the images and the memory that each run left, or null.</summary>
    public static string? Keep { get; } = Environment.GetEnvironmentVariable("GODWIT_ORACLE_KEEP");

    private static ulong Number(string name, ulong otherwise)
    {
        var text = Environment.GetEnvironmentVariable(name);
        return string.IsNullOrEmpty(text) ? otherwise : ulong.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture);
    }
}
