using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Godwit.Monitor.Server;

/// <summary>A value in the spelling of QEMU's monitor: spaces after commas and colons, ASCII alone.</summary>
internal static class JsonOutput
{
    public static byte[] Line(JsonNode value)
    {
        var text = new StringBuilder();
        Write(text, value);
        text.Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static void Write(StringBuilder text, JsonNode? value)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject members:
                text.Append('{');
                var first = true;
                foreach (var (key, member) in members)
                {
                    text.Append(first ? "" : ", ");
                    first = false;
                    Write(text, key);
                    text.Append(": ");
                    Write(text, member);
                }

                text.Append('}');
                break;
            case JsonArray items:
                text.Append('[');
                for (var i = 0; i < items.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    Write(text, items[i]);
                }

                text.Append(']');
                break;
            default:
                Write(text, value.AsValue());
                break;
        }
    }

    private static void Write(StringBuilder text, JsonValue value)
    {
        if (value.GetValueKind() == JsonValueKind.String)
            Write(text, value.GetValue<string>());
        else if (value.TryGetValue<double>(out var real) && !value.TryGetValue<long>(out _) && !value.TryGetValue<ulong>(out _))
            text.Append(double.IsInfinity(real) ? real < 0 ? "-inf" : "inf" : real.ToString("G17", CultureInfo.InvariantCulture).Replace('E', 'e'));
        else
            text.Append(value.ToJsonString());
    }

    private static void Write(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append(@"\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or >= (char)0x7F => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
