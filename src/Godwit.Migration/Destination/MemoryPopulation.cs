using System.Globalization;
using Godwit.Memory;

namespace Godwit.Migration.Destination;

/// <summary>
/// Has the host put memory behind the guest's before pages come: first-touch faults on the thread that receives cost more than the network
/// does. Runs ahead on a thread of its own, while a source is waited for and beyond, and leaves a quarter of the host's memory (or of the
/// control group's) alone.
/// </summary>
internal sealed class MemoryPopulation : IDisposable
{
    private const ulong Chunk = 4 << 20;

    private readonly IReadOnlyList<RamBlock> _blocks;
    private readonly Thread _thread;
    private volatile bool _stop;

    public MemoryPopulation(IReadOnlyList<RamBlock> blocks)
    {
        _blocks = blocks;
        _thread = new Thread(Run) { Name = "migration-populate", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Returns when nothing is touched any more.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Run()
    {
        foreach (var block in _blocks)
        {
            for (var offset = 0UL; offset < block.Length; offset += Chunk)
            {
                if (_stop || !HasRoom() || !block.TryPopulate(offset, Math.Min(Chunk, block.Length - offset)))
                    return;
            }
        }
    }

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

        return available * 1024 > (total * 1024 / 4) + Chunk;
    }

    private static bool GroupHasRoom()
    {
        const string Group = "/sys/fs/cgroup/memory.max";
        if (!File.Exists(Group) || !ulong.TryParse(File.ReadAllText(Group).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
            return true;
        var used = ulong.Parse(File.ReadAllText("/sys/fs/cgroup/memory.current").Trim(), CultureInfo.InvariantCulture);
        return used + Chunk < limit - (limit / 4);
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
