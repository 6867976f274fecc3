using System.Globalization;
using Godwit.Memory;

namespace Godwit.Migration.Destination;

/// <summary>
/// Has the host put memory behind the guest's before pages come: first-touch faults on the thread that receives cost more than the network
/// does. Runs as far as it can while a source is waited for, and then a bit before the pages that aren't zero, as those that are need no memory.
/// Leaves a quarter of the host's memory (or of the control group's) alone.
/// </summary>
internal static class MemoryPopulation
{
    private const ulong Room = 4 << 20;

    public static MemoryAhead Start(IReadOnlyList<RamBlock> blocks) =>
        new("migration-populate", blocks, static (block, offset, length) => HasRoom() && block.TryPopulate(offset, length), waits: false);

    private static bool HasRoom()
    {
        try
        {
            return MeminfoHasRoom() && GroupHasRoom();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool MeminfoHasRoom()
    {
        ulong total = 0, available = 0;
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            if (Value(line, "MemTotal:") is { } t)
                total = t;
            if (Value(line, "MemAvailable:") is { } a)
                available = a;
        }

        return available * 1024 > (total * 1024 / 4) + Room;
    }

    private static bool GroupHasRoom()
    {
        const string Group = "/sys/fs/cgroup/memory.max";
        if (!File.Exists(Group) || !ulong.TryParse(File.ReadAllText(Group).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
            return true;
        var used = ulong.Parse(File.ReadAllText("/sys/fs/cgroup/memory.current").Trim(), CultureInfo.InvariantCulture);
        return used + Room < limit - (limit / 4);
    }

    /// <summary>KiB of a line such as <c>MemTotal:  16384 kB</c>.</summary>
    private static ulong? Value(string line, string name)
    {
        if (!line.StartsWith(name, StringComparison.Ordinal))
            return null;
        var digits = line.AsSpan(name.Length).Trim();
        var end = digits.IndexOf(' ');
        return ulong.TryParse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
