namespace Godwit.Cli.Run;

/// <summary>An option's value as QEMU writes it: <c>key=value,key=value</c>. The first key may be left out where the option implies it;
/// two commas are a comma in a value. A key without value is <c>on</c>.</summary>
internal sealed class KeyValueList
{
    private readonly string _option;
    private readonly List<(string Key, string Value)> _pairs = [];
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <param name="option">For messages, such as <c>-machine</c>.</param>
    /// <param name="impliedKey">What the first part is when it has no key; null: it must have one.</param>
    public KeyValueList(string option, string text, string? impliedKey)
    {
        _option = option;
        var parts = Split(text);
        for (var i = 0; i < parts.Count; i++)
        {
            var equals = parts[i].IndexOf('=', StringComparison.Ordinal);
            if (equals == 0 || parts[i].Length == 0)
                throw new UsageException($"{option}: '{text}' has a part without a name");
            if (equals > 0)
                _pairs.Add((parts[i][..equals], parts[i][(equals + 1)..]));
            else if (i == 0 && impliedKey is not null)
                _pairs.Add((impliedKey, parts[i]));
            else
                _pairs.Add((parts[i], "on"));
        }
    }

    /// <summary>The last value of a key, which is then known; null if it isn't given.</summary>
    public string? Take(string key)
    {
        _taken.Add(key);
        return _pairs.FindLast(p => string.Equals(p.Key, key, StringComparison.Ordinal)).Value;
    }

    public bool? TakeBool(string key) => Take(key) switch
    {
        null => null,
        "on" or "yes" or "true" or "y" => true,
        "off" or "no" or "false" or "n" => false,
        var other => throw new UsageException($"{_option}: {key} is on or off, not '{other}'"),
    };

    /// <summary>Accepts a key only with values under which the machine is as it is.</summary>
    public void Require(string key, params ReadOnlySpan<string> values)
    {
        if (Take(key) is { } value && !values.Contains(value))
            throw new UsageException($"{_option}: {key}={value} is not supported; {key}={string.Join(" or ", values)} is");
    }

    /// <summary>The keys that nobody took, in order; they are taken then.</summary>
    public IEnumerable<(string Key, string Value)> TakeOthers()
    {
        var others = _pairs.Where(p => !_taken.Contains(p.Key)).ToList();
        _taken.UnionWith(others.Select(p => p.Key));
        return others;
    }

    /// <exception cref="UsageException">There are keys that nobody took.</exception>
    public void Finish()
    {
        foreach (var (key, _) in _pairs)
        {
            if (!_taken.Contains(key))
                throw new UsageException($"{_option}: '{key}' is not supported");
        }
    }

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var part = new System.Text.StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != ',')
            {
                part.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                part.Append(',');
                i++;
            }
            else
            {
                parts.Add(part.ToString());
                part.Clear();
            }
        }

        parts.Add(part.ToString());
        return parts;
    }
}
