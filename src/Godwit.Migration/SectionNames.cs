using Godwit.Wire.Stream;

namespace Godwit.Migration;

/// <summary>A section is known to the other end by name and instance alone, so no two may have the same.</summary>
internal static class SectionNames
{
    /// <exception cref="InvalidOperationException">Two have, or one has a name that a stream can't hold.</exception>
    public static void Check(IMigratableMachine machine)
    {
        Check("live section", machine.LiveSections.Select(s => (s.IdStr, s.InstanceId)));
        Check("device", machine.Devices.Select(d => (d.IdStr, d.InstanceId)));
    }

    private static void Check(string kind, IEnumerable<(string IdStr, uint InstanceId)> sections)
    {
        var seen = new HashSet<(string, uint)>();
        foreach (var (name, instance) in sections)
        {
            if (name.Length is 0 or > byte.MaxValue || string.Equals(name, SectionHeader.RamName, StringComparison.Ordinal))
                throw new InvalidOperationException($"a {kind} can't be called '{name}'");
            if (!seen.Add((name, instance)))
                throw new InvalidOperationException($"two of the machine's {kind}s are called '{name}', instance {instance}");
        }
    }
}
