using System.Globalization;
using System.Text;

namespace Godwit.Monitor.Server;

/// <summary>A string's token into its characters: modified UTF-8 (a zero is C0 80) without noncharacters. Source: QEMU util/unicode.c.</summary>
internal static class JsonText
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="FormatException">It is none; the message is QEMU's.</exception>
    public static string Decode(JsonToken token)
    {
        var raw = Characters(token);
        if (!raw.Contains('\\', StringComparison.Ordinal))
            return raw[1..^1];
        var text = new StringBuilder(raw.Length);
        for (var i = 1; i < raw.Length - 1; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }

            var start = i++;
            switch (raw[i])
            {
                case '"' or '\'' or '\\' or '/':
                    text.Append(raw[i]);
                    break;
                case 'b':
                    text.Append('\b');
                    break;
                case 'f':
                    text.Append('\f');
                    break;
                case 'n':
                    text.Append('\n');
                    break;
                case 'r':
                    text.Append('\r');
                    break;
                case 't':
                    text.Append('\t');
                    break;
                case 'u':
                    var escaped = Unicode(token, raw, start);
                    text.Append(escaped);
                    i = start + (6 * escaped.Length) - 1;
                    break;
                default:
                    throw JsonTokenParser.Error(token, "invalid escape sequence in string");
            }
        }

        return text.ToString();
    }

    /// <summary>With quotes.</summary>
    private static string Characters(JsonToken token)
    {
        try
        {
            var raw = Utf8.GetString(WithZeros(token.Text));
            for (var i = 0; i < raw.Length; i++)
            {
                var pair = char.IsHighSurrogate(raw[i]);
                if (!IsCharacter(pair ? char.ConvertToUtf32(raw[i], raw[i + 1]) : raw[i]))
                    throw JsonTokenParser.Error(token, "invalid UTF-8 sequence in string");
                i += pair ? 1 : 0;
            }

            return raw;
        }
        catch (DecoderFallbackException)
        {
            throw JsonTokenParser.Error(token, "invalid UTF-8 sequence in string");
        }
    }

    /// <summary>C0 80, which isn't UTF-8, becomes the zero that it stands for.</summary>
    private static ReadOnlySpan<byte> WithZeros(byte[] text)
    {
        ReadOnlySpan<byte> zero = [0xC0, 0x80];
        if (text.AsSpan().IndexOf(zero) < 0)
            return text;
        var result = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var isZero = text.AsSpan(i).StartsWith(zero);
            result.Add(isZero ? (byte)0 : text[i]);
            i += isZero ? 1 : 0;
        }

        return result.ToArray();
    }

    private static bool IsCharacter(int point) => point is not (>= 0xFDD0 and <= 0xFDEF or >= 0xD800 and <= 0xDFFF) && (point & 0xFFFE) != 0xFFFE;

    /// <summary>The character of one escape, or of two that are a surrogate pair.</summary>
    private static string Unicode(JsonToken token, string raw, int start)
    {
        var first = Hex(raw, start + 2);
        var length = 6;
        if (first is >= 0xD800 and <= 0xDBFF && raw.AsSpan(start + 6).StartsWith("\\u", StringComparison.Ordinal) && Hex(raw, start + 8) is >= 0xDC00 and <= 0xDFFF and var second)
        {
            length = 12;
            first = char.ConvertToUtf32((char)first, (char)second);
        }

        return first >= 0 && IsCharacter(first)
            ? char.ConvertFromUtf32(first)
            : throw JsonTokenParser.Error(token, $"{raw.AsSpan(start, Math.Min(length, raw.Length - start))} is not a valid Unicode character");
    }

    private static int Hex(string raw, int at) =>
        at + 4 <= raw.Length && int.TryParse(raw.AsSpan(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : -1;
}
