using System.Globalization;

namespace Godwit.Migration.Channels;

/// <summary>Sizes as QEMU writes them: a number, with a fraction if wanted, and a suffix from b over k, M, G to E (powers of 1024); or a hexadecimal number (QEMU:
/// util/cutils.c, qemu_strtosz).</summary>
public static class ByteSize
{
    private const string Suffixes = "bkmgtpe";

    /// <param name="unit">Bytes that a number without suffix counts.</param>
    public static bool TryParse(string text, ulong unit, out ulong bytes)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes);
        var digits = text;
        var scale = (decimal)unit;
        if (text.Length > 0 && Suffixes.IndexOf(char.ToLowerInvariant(text[^1]), StringComparison.Ordinal) is >= 0 and var power)
        {
            digits = text[..^1];
            scale = 1UL << (10 * power);
        }

        var fits = decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= ulong.MaxValue / scale;
        bytes = fits ? (ulong)(number * scale) : 0;
        return fits;
    }
}
