using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Migration.Channels;

namespace Godwit.Cli.Migrate;

/// <summary>Capabilities and parameters as words of the command line.</summary>
internal static class MigrateSettings
{
    /// <param name="word"><c>NAME</c>, <c>NAME=on</c> or <c>NAME=off</c>.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static KeyValuePair<string, bool> Capability(string word)
    {
        var (name, value) = Split(word);
        return (name.Length > 0 ? OnOrOff(value ?? "on") : null) is { } on
            ? new KeyValuePair<string, bool>(name, on)
            : throw new FormatException($"--capability '{word}': it is NAME, NAME=on or NAME=off");
    }

    /// <param name="word"><c>NAME=VALUE</c>.</param>
    /// <exception cref="FormatException">It isn't.</exception>
    public static KeyValuePair<string, string> Parameter(string word) => Split(word) is ({ Length: > 0 } name, { } value)
        ? new KeyValuePair<string, string>(name, value)
        : throw new FormatException($"--parameter '{word}': it is NAME=VALUE");

    /// <summary>A value in the type that the machine has it in; where that isn't known, in the type that it looks like.</summary>
    /// <param name="current">What the machine's parameter is now; undefined where the machine doesn't tell.</param>
    /// <exception cref="FormatException">It doesn't fit.</exception>
    public static JsonNode Typed(string name, string text, JsonElement current)
    {
        var number = Number(text);
        var on = OnOrOff(text);
        return current.ValueKind switch
        {
            JsonValueKind.Number => number is { } n ? JsonValue.Create(n) : throw new FormatException($"parameter '{name}': '{text}' is no number or size such as 100 or 32M"),
            JsonValueKind.True or JsonValueKind.False => on is { } b ? JsonValue.Create(b) : throw new FormatException($"parameter '{name}' is on or off, not '{text}'"),
            JsonValueKind.String => JsonValue.Create(text)!,
            _ => number is { } n ? JsonValue.Create(n) : on is { } b ? JsonValue.Create(b) : JsonValue.Create(text)!,
        };
    }

    private static (string Name, string? Value) Split(string word) => word.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at ? (word[..at], word[(at + 1)..]) : (word, null);

    private static bool? OnOrOff(string text) => text switch
    {
        "on" or "true" or "yes" => true,
        "off" or "false" or "no" => false,
        _ => null,
    };

    private static ulong? Number(string text) => ByteSize.TryParse(text, 1, out var number) ? number : null;
}
