using System.Collections.Concurrent;
using System.IO.Compression;

namespace Godwit.Testing;

/// <summary>What real QEMUs wrote: the captures of tests/Golden, which tests/Golden/capture.py makes.</summary>
public static class Golden
{
    private static readonly ConcurrentDictionary<string, byte[]> Loaded = new(StringComparer.Ordinal);

    /// <summary>Streams from source to destination.</summary>
    public static IReadOnlyList<string> Streams { get; } = Names(".stream.gz");

    /// <summary>Return paths of some of them.</summary>
    public static IReadOnlyList<string> Returns { get; } = Names(".return.gz");

    /// <summary>Streams that a receiver takes to their end.</summary>
    public static IEnumerable<string> Receivable => Streams.Where(n => !n.EndsWith("-postcopy", StringComparison.Ordinal) && !n.Contains("-multifd", StringComparison.Ordinal));

    /// <summary>Streams whose two multifd channels were kept, too.</summary>
    public static IEnumerable<string> Multifd => Streams.Where(n => n.Contains("11.1-multifd", StringComparison.Ordinal) || n.EndsWith("-sections", StringComparison.Ordinal));

    /// <summary>The same, and those of machines other than virt.</summary>
    public static IEnumerable<string> MultifdOfAny => Names(".channel0.gz");

    /// <param name="name">One of <see cref="MultifdOfAny"/>.</param>
    /// <param name="id">0 or 1.</param>
    public static byte[] Channel(string name, int id) => Load($"{name}.channel{id}.gz");

    /// <summary>Mapped-ram files of a machine of 4 MiB; the one whose name ends in -offset begins at <see cref="MappedOffset"/>.</summary>
    public static IReadOnlyList<string> Mapped { get; } = Names(".mapped.gz");

    /// <summary>Bytes from the start of a mapped-ram file to its stream.</summary>
    public static int MappedOffset(string name) => name.EndsWith("-offset", StringComparison.Ordinal) ? 0x1234 : 0;

    public static byte[] MappedFile(string name) => Load($"{name}.mapped.gz");

    public static byte[] Stream(string name) => Load($"{name}.stream.gz");

    public static byte[] Return(string name) => Load($"{name}.return.gz");

    private static byte[] Load(string file) => Loaded.GetOrAdd(file, static file =>
    {
        using var packed = new GZipStream(File.OpenRead(Repository.Path("tests", "Golden", file)), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        packed.CopyTo(bytes);
        return bytes.ToArray();
    });

    private static List<string> Names(string suffix)
    {
        var names = Directory.GetFiles(Repository.Path("tests", "Golden"), "*" + suffix).Select(f => Path.GetFileName(f)[..^suffix.Length]).Order(StringComparer.Ordinal).ToList();
        return names.Count > 0 ? names : throw new InvalidOperationException($"tests/Golden has no {suffix}");
    }
}
