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
    public static IEnumerable<string> Receivable => Streams.Where(n => !n.EndsWith("-postcopy", StringComparison.Ordinal) && !n.EndsWith("-multifd", StringComparison.Ordinal));

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
