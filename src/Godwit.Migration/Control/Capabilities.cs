namespace Godwit.Migration.Control;

/// <summary>QEMU's capabilities by name, in its order (QEMU: <c>MigrationCapability</c>). Those that can't be switched on here are known, off, and
/// refused by name, after the combinations that QEMU refuses (QEMU: migration/options.c, migrate_caps_check).</summary>
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
        "validate-uuid", "switchover-ack", "dirty-limit", "multifd", "zero-copy-send", "mapped-ram",
    };

    /// <summary>In the order in which QEMU looks for them.</summary>
    private static readonly string[] NotWithSnapshot =
    [
        "postcopy-ram", "dirty-bitmaps", "postcopy-blocktime", "late-block-activate", "return-path", "multifd", "pause-before-switchover", "auto-converge",
        "release-ram", "rdma-pin-all", "xbzrle", "x-colo", "validate-uuid", "zero-copy-send",
    ];

    // Replaced as a whole: others read meanwhile.
    private volatile HashSet<string> _on = new(StringComparer.Ordinal);

    public bool this[string name] => _on.Contains(name);

    /// <summary>Sets all or, if one is refused, none.</summary>
    /// <param name="incomingStarted">Whether a source is waited for, or its guest is coming.</param>
    /// <exception cref="MigrationRefusedException">One is unknown, or not supported, or what would result is a combination that QEMU refuses.</exception>
    public void Set(IEnumerable<KeyValuePair<string, bool>> changes, Parameters? parameters = null, bool incomingStarted = false)
    {
        var next = new HashSet<string>(_on, StringComparer.Ordinal);
        foreach (var (name, on) in changes)
        {
            if (!Names.Contains(name, StringComparer.Ordinal))
                throw new MigrationRefusedException($"Parameter 'capability' does not accept value '{name}'");
            _ = on ? next.Add(name) : next.Remove(name);
        }

        if ((Conflict(next, parameters ?? new Parameters(), incomingStarted && !this["multifd"]) ?? Unsupported(next)) is { } reason)
            throw new MigrationRefusedException(reason);
        _on = next;
    }

    private static string? Unsupported(HashSet<string> on) =>
        Names.FirstOrDefault(n => on.Contains(n) && !Supported.Contains(n) && !(n == "postcopy-ram" && on.Contains("mapped-ram"))) is { } name ? $"Capability '{name}' is not supported" : null;

    private static string? Conflict(HashSet<string> on, Parameters parameters, bool tooLateForMultifd)
    {
        if (on.Contains("x-colo") && !on.Contains("return-path"))
            return "Capability 'x-colo' requires capability 'return-path'";
        if (on.Contains("postcopy-ram") && on.Contains("x-ignore-shared"))
            return "Postcopy is not compatible with ignore-shared";
        if (on.Contains("background-snapshot") && Array.Find(NotWithSnapshot, on.Contains) is { } other)
            return $"Background-snapshot is not compatible with {other}";
        if (on.Contains("zero-copy-send") && (!on.Contains("multifd") || on.Contains("xbzrle") || parameters.MultifdCompression != MultifdCompression.None || parameters.TlsCreds.Length > 0))
            return "Zero copy only available for non-compressed non-TLS multifd migration";
        if (on.Contains("postcopy-preempt") && !on.Contains("postcopy-ram"))
            return "Postcopy preempt requires postcopy-ram";
        if (on.Contains("multifd") && tooLateForMultifd)
            return "Multifd must be set before incoming starts";
        if (on.Contains("switchover-ack") && !on.Contains("return-path"))
            return "Capability 'switchover-ack' requires capability 'return-path'";
        if (on.Contains("dirty-limit") && on.Contains("auto-converge"))
            return "dirty-limit conflicts with auto-converge either of then available currently";
        if (on.Contains("multifd") && on.Contains("xbzrle"))
            return "Multifd is not compatible with xbzrle";
        return on.Contains("mapped-ram") && on.Contains("xbzrle") ? "Mapped-ram migration is incompatible with xbzrle" : null;
    }
}
