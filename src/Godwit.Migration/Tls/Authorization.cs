using System.Text.Json;
using System.Text.Json.Nodes;

namespace Godwit.Migration.Tls;

/// <summary>Who may come, by name (QEMU: authz/base.c).</summary>
public interface IAuthorization
{
    bool Allows(string identity);
}

/// <summary><c>authz-simple</c>: one (QEMU: authz/simple.c).</summary>
public sealed class SimpleAuthorization(string allowed) : IAuthorization
{
    public bool Allows(string identity) => string.Equals(identity, allowed, StringComparison.Ordinal);
}

/// <summary>A rule of a list (QEMU: <c>QAuthZListRule</c>).</summary>
/// <param name="IsGlob"><c>*</c> and <c>?</c> stand for anything and any character.</param>
public sealed record AuthorizationRule(string Match, bool Allow, bool IsGlob);

/// <summary><c>authz-list</c>: the first rule that fits decides (QEMU: authz/list.c).</summary>
public sealed class ListAuthorization(IReadOnlyList<AuthorizationRule> rules, bool otherwise) : IAuthorization
{
    public bool Allows(string identity)
    {
        foreach (var rule in rules)
        {
            if (rule.IsGlob ? FitsGlob(rule.Match, identity) : string.Equals(rule.Match, identity, StringComparison.Ordinal))
                return rule.Allow;
        }

        return otherwise;
    }

    internal static ListAuthorization Create(ObjectProperties properties)
    {
        string[] policies = ["deny", "allow"];
        var otherwise = properties.Choice("policy", policies) == 1;
        var rules = new List<AuthorizationRule>();
        foreach (var rule in properties.Items("rules"))
        {
            var match = rule.RequiredText("match");
            _ = rule.RequiredText("policy");
            rules.Add(new AuthorizationRule(match, rule.Choice("policy", policies) == 1, rule.Choice("format", ["exact", "glob"]) == 1));
            rule.Finish();
        }

        properties.Finish();
        return new ListAuthorization(rules, otherwise);
    }

    /// <summary>As GLib's patterns: nothing but <c>*</c> and <c>?</c> is special, not even a backslash, which names are full of.</summary>
    private static bool FitsGlob(string pattern, string text)
    {
        int at = 0, from = 0, star = -1, retry = 0;
        while (from < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
                (star, retry) = (at++, from);
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == text[from]))
                (at, from) = (at + 1, from + 1);
            else if (star >= 0)
                (at, from) = (star + 1, ++retry);
            else
                return false;
        }

        return pattern.AsSpan(at).TrimStart('*').IsEmpty;
    }
}

/// <summary><c>authz-list-file</c>: a list in a file of JSON (QEMU: authz/listfile.c).</summary>
public sealed class FileListAuthorization : IAuthorization
{
    private readonly string _path;
    private readonly bool _refresh;
    private readonly ListAuthorization _first;

    /// <param name="refresh">Whether a changed file counts. While it can't be read, nobody may come.</param>
    /// <exception cref="MigrationRefusedException">It can't be read.</exception>
    public FileListAuthorization(string path, bool refresh)
    {
        _path = path;
        _refresh = refresh;
        _first = Load(path);
    }

    public bool Allows(string identity)
    {
        try
        {
            return (_refresh ? Load(_path) : _first).Allows(identity);
        }
        catch (MigrationRefusedException)
        {
            return false;
        }
    }

    private static ListAuthorization Load(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) is JsonObject list
                ? ListAuthorization.Create(new ObjectProperties(list, words: false))
                : throw new MigrationRefusedException($"File '{path}' must contain a JSON object");
        }
        catch (JsonException e)
        {
            throw new MigrationRefusedException($"JSON parse error, '{path}': {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MigrationRefusedException($"Unable to read '{path}': {e.Message}");
        }
    }
}
