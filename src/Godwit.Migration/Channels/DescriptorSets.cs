using System.Globalization;
using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Channels;

/// <param name="Opaque">What whoever added it calls it.</param>
public sealed record AddedDescriptor(int Descriptor, string? Opaque);

/// <summary>
/// Open files that this process was given, in sets: <c>/dev/fdset/N</c> stands for whichever of set N was opened as it is wanted. The names are the process's, and so
/// are the sets. For any thread. Source: QEMU monitor/fds.c.
/// </summary>
public static class DescriptorSets
{
    private const string Prefix = "/dev/fdset/";

    private static readonly Lock Guard = new();
    private static readonly SortedDictionary<long, List<(SafeFileHandle File, string? Opaque)>> Sets = [];

    /// <param name="file">Goes over to the set.</param>
    /// <param name="set">Null: the first number that is free.</param>
    /// <returns>The set's number.</returns>
    /// <exception cref="MigrationRefusedException">There can be no such set.</exception>
    public static long Add(SafeFileHandle file, long? set, string? opaque)
    {
        if (set < 0)
            throw new MigrationRefusedException("Parameter 'fdset-id' expects a non-negative value");
        lock (Guard)
        {
            var number = set ?? 0;
            while (set is null && Sets.ContainsKey(number))
                number++;
            if (!Sets.TryGetValue(number, out var files))
                Sets.Add(number, files = []);
            files.Add((file, opaque));
            return number;
        }
    }

    /// <param name="descriptor">Null: all of the set's.</param>
    /// <exception cref="MigrationRefusedException">It isn't there.</exception>
    public static void Remove(long set, long? descriptor)
    {
        lock (Guard)
        {
            if (!Sets.TryGetValue(set, out var files) || (descriptor is not null && !files.Exists(f => Number(f.File) == descriptor)))
                throw new MigrationRefusedException($"File descriptor named 'fdset-id:{set}{(descriptor is null ? "" : $", fd:{descriptor}")}' not found");
            foreach (var (file, _) in files.Where(f => descriptor is null || Number(f.File) == descriptor).ToList())
                file.Dispose();
            files.RemoveAll(f => f.File.IsClosed);
            if (files.Count == 0)
                Sets.Remove(set);
        }
    }

    /// <summary>The sets, in order.</summary>
    public static IReadOnlyList<(long Set, IReadOnlyList<AddedDescriptor> Files)> List()
    {
        lock (Guard)
            return [.. Sets.Select(s => (s.Key, (IReadOnlyList<AddedDescriptor>)[.. s.Value.Select(f => new AddedDescriptor(Number(f.File), f.Opaque))]))];
    }

    /// <summary>The number of a descriptor.</summary>
    public static int Number(SafeFileHandle file) => (int)file.DangerousGetHandle();

    internal static bool Has(string path) => path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Another descriptor for the set's file that was opened so.</summary>
    /// <param name="path">With <see cref="Has"/>.</param>
    /// <param name="flags">As open(2) has them: access mode and O_DIRECT must be the same.</param>
    /// <exception cref="IOException">There is none.</exception>
    internal static SafeFileHandle Open(string path, int flags)
    {
        if (!long.TryParse(path.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var set))
            throw new IOException($"Could not parse fdset {path}");
        var mask = Linux.Descriptor.AccessMode | DirectFile.Flag;
        lock (Guard)
        {
            if (!Sets.TryGetValue(set, out var files))
                throw new IOException($"Failed to find fdset /dev/fdset/{set}");
            foreach (var (file, _) in files)
            {
                if (((Linux.Descriptor.StatusFlags(file) ^ flags) & mask) == 0)
                    return Linux.Descriptor.Duplicate(file);
            }
        }

        throw new IOException($"Failed to find file descriptor with matching flags=0x{flags:x}");
    }
}
