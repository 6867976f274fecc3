using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Godwit.Monitor.Server;

/// <summary>Tokens whose brackets are balanced, or can't be, into a value. Source: QEMU qobject/json-parser.c.</summary>
internal sealed class JsonTokenParser(List<JsonToken> tokens)
{


    private int _next;

    /// <exception cref="FormatException">It is none; the message is QEMU's.</exception>
    public JsonNode? Parse() => Value(Pop());

    internal static FormatException Error(JsonToken token, string reason) => new($"{token.Line}:{token.Column}: JSON parse error, {reason}");

    private JsonToken Pop() => _next < tokens.Count ? tokens[_next++] : throw new FormatException("JSON parse error, premature EOI");

    private JsonNode? Value(JsonToken token) => token.Kind switch
    {
        JsonTokenKind.OpenBrace => Object(),
        JsonTokenKind.OpenBracket => Array(),
        JsonTokenKind.String => JsonValue.Create(JsonText.Decode(token)),
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
            var key = JsonText.Decode(token);
            var colon = Pop();
            if (colon.Kind != JsonTokenKind.Colon)
                throw Error(colon, "expecting ':'");
            var value = Value(Pop());
            if (!result.TryAdd(key, value))
                throw Error(tokens[_next - 1], "duplicate key");
            var separator = Pop();
            if (separator.Kind == JsonTokenKind.CloseBrace)
                return result;
            if (separator.Kind != JsonTokenKind.Comma)
                throw Error(separator, "expected ',' or '}'");
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
                throw Error(separator, "expected ',' or ']'");
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
}
