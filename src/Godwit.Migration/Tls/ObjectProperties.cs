using System.Text.Json;
using System.Text.Json.Nodes;

namespace Godwit.Migration.Tls;

/// <summary>The properties of an object that is being made, off JSON or a command line's words, with QEMU's complaints (QEMU: qapi/qobject-input-visitor.c).</summary>
/// <param name="words">Whether all values are texts: <c>on</c> and <c>off</c>, and no lists: those take JSON, as with QEMU.</param>
internal sealed class ObjectProperties(JsonObject members, bool words, string prefix = "")
{
    private static readonly string[] Yes = ["on", "yes", "true", "y"];
    private static readonly string[] No = ["off", "no", "false", "n"];

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public string? Text(string name)
    {
        _known.Add(name);
        if (!members.TryGetPropertyValue(name, out var node))
            return null;
        return node is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : throw Type(name, "string");
    }

    public string RequiredText(string name) => Text(name) ?? throw new MigrationRefusedException($"Parameter '{prefix}{name}' is missing");

    public bool Flag(string name, bool otherwise)
    {
        _known.Add(name);
        if (!members.TryGetPropertyValue(name, out var node))
            return otherwise;
        if (words)
        {
            var word = Text(name)!;
            return Yes.Contains(word, StringComparer.Ordinal) || (No.Contains(word, StringComparer.Ordinal) ? false : throw new MigrationRefusedException($"Parameter '{prefix}{name}' expects 'on' or 'off'"));
        }

        return node?.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Type(name, "boolean"),
        };
    }

    /// <returns>Which of the values it is; the first where it isn't given.</returns>
    public int Choice(string name, string[] values)
    {
        if (Text(name) is not { } value)
            return 0;
        var at = Array.IndexOf(values, value);
        return at >= 0 ? at : throw new MigrationRefusedException($"Parameter '{name}' does not accept value '{value}'");
    }

    /// <summary>The objects of a list; none where it isn't given.</summary>
    public IEnumerable<ObjectProperties> Items(string name)
    {
        _known.Add(name);
        if (!members.TryGetPropertyValue(name, out var node))
            return [];
        return (node as JsonArray ?? throw Type(name, "array")).Select((item, i) => item is JsonObject o ? new ObjectProperties(o, words, $"{prefix}{name}[{i}].") : throw Type($"{name}[{i}]", "object"));
    }

    /// <exception cref="MigrationRefusedException">There are properties that nobody asked for.</exception>
    public void Finish()
    {
        foreach (var (name, _) in members)
        {
            if (!_known.Contains(name))
                throw new MigrationRefusedException($"Parameter '{prefix}{name}' is unexpected");
        }
    }

    private MigrationRefusedException Type(string name, string expected) => new($"Invalid parameter type for '{prefix}{name}', expected: {expected}");
}
