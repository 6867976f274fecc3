using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Monitor.Server;

/// <summary>The members of a command's arguments, checked as QEMU's input visitor checks them. Source: QEMU qapi/qobject-input-visitor.c.</summary>
/// <param name="descriptor">Gives the open file that came with the command, whose owner the caller then is; null where none did.</param>
internal sealed class QmpArguments(JsonObject members, string prefix = "", Func<SafeFileHandle?>? descriptor = null)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => members.Select(m => m.Key);

    public SafeFileHandle? TakeDescriptor() => descriptor?.Invoke();

    public bool Has(string name)
    {
        _known.Add(name);
        return members.ContainsKey(name);
    }

    public string? OptionalString(string name) => Has(name) ? String(name) : null;

    public string String(string name) => Get(name) is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : throw Type(name, "string");

    /// <summary>Null is the same as empty.</summary>
    public string StringOrNull(string name) => Get(name) is null ? "" : (members[name] as JsonValue)?.GetValueKind() == JsonValueKind.String ? String(name) : throw Type(name, "StrOrNull");

    public bool? OptionalBool(string name) => Has(name) ? Bool(name) : null;

    public bool Bool(string name) => Get(name) switch
    {
        JsonValue v when v.GetValueKind() == JsonValueKind.True => true,
        JsonValue v when v.GetValueKind() == JsonValueKind.False => false,
        _ => throw Type(name, "boolean"),
    };

    public long? OptionalInteger(string name) => Has(name) ? Integer(name) : null;

    public long Integer(string name) => Get(name) is JsonValue v && v.GetValueKind() == JsonValueKind.Number && v.TryGetValue(out long number) ? number : throw Type(name, "integer");

    /// <param name="bits">64 takes negative numbers, as QEMU's does.</param>
    public ulong Unsigned(string name, int bits)
    {
        var number = Get(name) as JsonValue;
        long signed = 0;
        ulong large = 0;
        // A number with a point or an exponent isn't one of these.
        if (number?.GetValueKind() != JsonValueKind.Number || !(number.TryGetValue(out signed) || number.TryGetValue(out large)))
            throw new QmpError($"Parameter '{prefix}{name}' expects uint64");
        var value = large == 0 ? unchecked((ulong)signed) : large;
        return bits == 64 || value >> bits == 0 ? value : throw new QmpError($"Parameter '{prefix}{name}' expects uint{bits}_t");
    }

    public string Enumeration(string name, params ReadOnlySpan<string> values)
    {
        var value = String(name);
        return values.Contains(value) ? value : throw new QmpError($"Parameter '{name}' does not accept value '{value}'");
    }

    public QmpArguments Object(string name) => Get(name) is JsonObject o ? new QmpArguments(o, $"{prefix}{name}.") : throw Type(name, "object");

    public IEnumerable<QmpArguments> Objects(string name)
    {
        var list = List(name);
        for (var i = 0; i < list.Count; i++)
            yield return list[i] is JsonObject o ? new QmpArguments(o, $"{prefix}{name}[{i}].") : throw Type($"{name}[{i}]", "object");
    }

    public List<string> Strings(string name)
    {
        var result = new List<string>();
        foreach (var item in List(name))
            result.Add(item is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : throw Type($"{name}[{result.Count}]", "string"));
        return result;
    }

    public JsonArray List(string name) => Get(name) as JsonArray ?? throw Type(name, "array");

    public JsonNode? Get(string name) => Has(name) ? members[name] : throw new QmpError($"Parameter '{prefix}{name}' is missing");

    /// <summary>A copy of those that nobody asked for, for somebody else to check.</summary>
    public JsonObject Others() => new(members.Where(m => !_known.Contains(m.Key)).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));

    /// <exception cref="QmpError">There are members that nobody asked for.</exception>
    public void Finish()
    {
        foreach (var (name, _) in members)
        {
            if (!_known.Contains(name))
                throw new QmpError($"Parameter '{prefix}{name}' is unexpected");
        }
    }

    public QmpError Type(string name, string expected) => new($"Invalid parameter type for '{prefix}{name}', expected: {expected}");
}
