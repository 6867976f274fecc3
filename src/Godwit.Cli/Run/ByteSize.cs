using System.Globalization;

namespace Godwit.Cli.Run;

/// <summary>Sizes as QEMU writes them: a number, with a fraction if wanted, and a suffix from b over k, M, G to E (powers of 1024).</summary>
internal static class ByteSize
{
    private const string Suffixes = "bkmgtpe";

    /// <param name="option">For messages.</param>
    /// <param name="unit">Bytes that a number without suffix counts.</param>
    /// <exception cref="UsageException">It isn't one.</exception>
    public static ulong Parse(string option, string text, ulong unit)
    {
        var digits = text;
        var scale = (decimal)unit;
        if (text.Length > 0 && Suffixes.IndexOf(char.ToLowerInvariant(text[^1]), StringComparison.Ordinal) is >= 0 and var power)
        {
            digits = text[..^1];
            scale = 1UL << (10 * power);
        }

        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > ulong.MaxValue / scale)
            throw new UsageException($"{option}: '{text}' is no size such as 512M or 4G");
        return (ulong)(number * scale);
    }
}
