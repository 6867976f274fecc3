using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>Messages without what no two machines have in common: when they came, how long it took, how fast it went, where the machine has its folder.</summary>
internal static partial class Comparable
{
    private static readonly HashSet<string> Measured = new(StringComparer.Ordinal)
    {
        "total-time", "setup-time", "downtime", "expected-downtime", "remaining", "transferred", "duplicate", "normal", "normal-bytes", "dirty-pages-rate",
        "mbps", "pages-per-second", "port", "fd",
    };

    /// <summary>Whether they are nothing is the same for both.</summary>
    private static readonly HashSet<string> MeasuredIfAny = new(StringComparer.Ordinal) { "precopy-bytes", "downtime-bytes" };

    public static string Of(string message, string folder)
    {
        if (message == QmpConversation.Closed)
            return message;
        var node = JsonNode.Parse(message.Replace(folder, "$folder", StringComparison.Ordinal))!.AsObject();
        node.Remove("timestamp");
        return Sorted(node)!.ToJsonString();
    }

    public static bool IsEvent(string message) => message.StartsWith("{\"data\"", StringComparison.Ordinal) || message.StartsWith("{\"event\"", StringComparison.Ordinal);

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(m => m.Key, StringComparer.Ordinal)
            .Select(m => KeyValuePair.Create(m.Key, IsMeasured(m.Key, m.Value) ? JsonValue.Create(m.Value!.GetValueKind().ToString()) : Sorted(m.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        JsonValue value when value.TryGetValue<string>(out var text) && text.StartsWith("Status: \t", StringComparison.Ordinal) => JsonValue.Create(Size().Replace(text, "#")),
        _ => node?.DeepClone(),
    };

    private static bool IsMeasured(string name, JsonNode? value) => Measured.Contains(name) || (MeasuredIfAny.Contains(name) && value!.GetValue<long>() != 0);

    [GeneratedRegex("[0-9][0-9.e+]*( [KMG]?i?B)?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Size();
}
