using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Godwit.Monitor.Server;

/// <summary>Tokens whose brackets are balanced, or can't be, into a value. Source: QEMU qobject/json-parser.c.</summary>
internal sealed class JsonTokenParser(List<JsonToken> tokens)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private int _next;

    /// <exception cref="FormatException">It is none; the message is QEMU's.</exception>
    public JsonNode? Parse() => Value(Pop());

    private static FormatException Error(JsonToken token, string reason) => new($"{token.Line}:{token.Column}: JSON parse error, {reason}");

    private JsonToken Pop() => _next < tokens.Count ? tokens[_next++] : throw new FormatException("JSON parse error, premature EOI");

    private JsonNode? Value(JsonToken token) => token.Kind switch
    {
        JsonTokenKind.OpenBrace => Object(),
        JsonTokenKind.OpenBracket => Array(),
        JsonTokenKind.String => JsonValue.Create(Text(token)),
        JsonTokenKind.Integer or JsonTokenKind.Float => Number(token),
        JsonTokenKind.Keyword => Encoding.ASCII.GetString(token.Text) switch
        {
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            "null" => null,
            var other => throw Error(token, $"invalid keyword '{other}'"),
        },
        _ => throw Error(token, "expecting value"),
    };

    private JsonObject Object()
    {
        var result = new JsonObject();
        var token = Pop();
        if (token.Kind == JsonTokenKind.CloseBrace)
            return result;
        while (true)
        {
            if (token.Kind != JsonTokenKind.String)
                throw Error(token, "expecting key");
            var key = Text(token);
            var colon = Pop();
            if (colon.Kind != JsonTokenKind.Colon)
                throw Error(colon, "missing : in object pair");
            if (result.ContainsKey(key))
                throw Error(token, "duplicate key");
            result[key] = Value(Pop());
            var separator = Pop();
            if (separator.Kind == JsonTokenKind.CloseBrace)
                return result;
            if (separator.Kind != JsonTokenKind.Comma)
                throw Error(separator, "expected separator in dict");
            token = Pop();
        }
    }

    private JsonArray Array()
    {
        var result = new JsonArray();
        var token = Pop();
        if (token.Kind == JsonTokenKind.CloseBracket)
            return result;
        while (true)
        {
            result.Add(Value(token));
            var separator = Pop();
            if (separator.Kind == JsonTokenKind.CloseBracket)
                return result;
            if (separator.Kind != JsonTokenKind.Comma)
                throw Error(separator, "expected separator in list");
            token = Pop();
        }
    }

    private static JsonValue Number(JsonToken token)
    {
        var text = Encoding.ASCII.GetString(token.Text);
        if (token.Kind == JsonTokenKind.Integer)
        {
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                return JsonValue.Create(number);
            if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var large))
                return JsonValue.Create(large);
        }

        return JsonValue.Create(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    private static string Text(JsonToken token)
    {
        string raw;
        try
        {
            raw = Utf8.GetString(token.Text, 1, token.Text.Length - 2);
        }
        catch (DecoderFallbackException)
        {
            throw Error(token, "invalid UTF-8 sequence in string");
        }

        if (!raw.Contains('\\', StringComparison.Ordinal))
            return raw;
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
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
                    i = Unicode(token, raw, start, text);
                    break;
                default:
                    throw Error(token, "invalid escape sequence in string");
            }
        }

        return text.ToString();
    }

    /// <returns>Where its last character is.</returns>
    private static int Unicode(JsonToken token, string raw, int start, StringBuilder text)
    {
        var first = Hex(raw, start + 2);
        if (first is >= 0 and not (>= 0xD800 and <= 0xDFFF))
        {
            text.Append((char)first);
            return start + 5;
        }

        if (first is >= 0xD800 and <= 0xDBFF && start + 7 < raw.Length && raw[start + 6] == '\\' && raw[start + 7] == 'u'
            && Hex(raw, start + 8) is >= 0xDC00 and <= 0xDFFF and var second)
        {
            text.Append((char)first).Append((char)second);
            return start + 11;
        }

        throw Error(token, $"{raw.AsSpan(start, Math.Min(6, raw.Length - start))} is not a valid Unicode character");
    }

    private static int Hex(string raw, int at) =>
        at + 4 <= raw.Length && int.TryParse(raw.AsSpan(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : -1;
}
