using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Migration.Tls;

namespace Godwit.Cli.Run;

/// <summary>What <c>-object</c> says of an object that TLS uses, as <see cref="SecurityObjects.Add"/> takes it.</summary>
/// <param name="IsWords">False: it was given as JSON.</param>
internal sealed record SecurityObject(string Type, string Id, JsonObject Properties, bool IsWords)
{
    private const string Option = "-object";

    /// <returns>Null: it is of another type.</returns>
    public static SecurityObject? TryParse(string text)
    {
        if (text.StartsWith('{'))
            return ParseJson(text);
        var keys = new KeyValueList(Option, text, "qom-type");
        var type = keys.Take("qom-type");
        if (type is null || !SecurityObjects.Knows(type))
            return null;
        var id = keys.Take("id") ?? throw new UsageException($"{Option} {type}: it needs an id=");
        var properties = new JsonObject();
        foreach (var (key, value) in keys.TakeOthers())
            properties[key] = value;
        return new SecurityObject(type, id, properties, IsWords: true);
    }

    private static SecurityObject ParseJson(string text)
    {
        JsonObject? properties;
        try
        {
            properties = JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException e)
        {
            throw new UsageException($"{Option}: JSON parse error: {e.Message}");
        }

        var type = Take(properties, "qom-type");
        var id = Take(properties, "id");
        if (!SecurityObjects.Knows(type))
            throw new UsageException($"{Option}: '{type}' is not supported as JSON");
        return new SecurityObject(type, id, properties!, IsWords: false);
    }

    private static string Take(JsonObject? properties, string name)
    {
        var value = properties?[name] is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : throw new UsageException($"{Option}: it needs a {name}");
        properties.Remove(name);
        return value;
    }
}
