namespace Godwit.Migration.Control;

/// <summary>QEMU's capabilities by name, in its order (QEMU: <c>MigrationCapability</c>). Those that can't be switched on here are known, off, and
/// refused by name.</summary>
public sealed class Capabilities
{
    /// <summary>In QEMU 11.1's order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "xbzrle", "rdma-pin-all", "auto-converge", "events", "postcopy-ram", "x-colo", "release-ram", "return-path", "pause-before-switchover",
        "multifd", "dirty-bitmaps", "postcopy-blocktime", "late-block-activate", "x-ignore-shared", "validate-uuid", "background-snapshot",
        "zero-copy-send", "postcopy-preempt", "switchover-ack", "dirty-limit", "mapped-ram",
    ];

    private static readonly HashSet<string> Supported = new(StringComparer.Ordinal)
    {
        "xbzrle", "auto-converge", "events", "release-ram", "return-path", "pause-before-switchover", "late-block-activate", "x-ignore-shared",
        "validate-uuid", "switchover-ack", "dirty-limit",
    };

    private readonly HashSet<string> _on = new(StringComparer.Ordinal);

    public bool this[string name] => _on.Contains(name);

    /// <summary>Sets all or, if one is refused, none.</summary>
    /// <exception cref="MigrationRefusedException">One is unknown, or not supported, or what would result is a combination that QEMU refuses.</exception>
    public void Set(IEnumerable<KeyValuePair<string, bool>> changes)
    {
        var next = new HashSet<string>(_on, StringComparer.Ordinal);
        foreach (var (name, on) in changes)
        {
            if (!Names.Contains(name, StringComparer.Ordinal))
                throw new MigrationRefusedException($"Parameter 'capability' does not accept value '{name}'");
            if (on && !Supported.Contains(name))
                throw new MigrationRefusedException($"Capability '{name}' is not supported");
            _ = on ? next.Add(name) : next.Remove(name);
        }

        if (next.Contains("switchover-ack") && !next.Contains("return-path"))
            throw new MigrationRefusedException("Capability 'switchover-ack' requires capability 'return-path'");
        if (next.Contains("dirty-limit") && next.Contains("auto-converge"))
            throw new MigrationRefusedException("dirty-limit conflicts with auto-converge either of then available currently");
        _on.Clear();
        _on.UnionWith(next);
    }
}
