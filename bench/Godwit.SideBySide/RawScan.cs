using System.Diagnostics;
using Godwit.Memory;

namespace Godwit.SideBySide;

/// <summary>The limit where all memory is zero: reading it, with nothing around it.</summary>
internal static class RawScan
{
    /// <param name="threads">Each takes its share.</param>
    /// <returns>Seconds.</returns>
    public static double Read(string path, long size, int threads)
    {
        using var block = new RamBlock("memory", Godwit.Linux.MemoryMapping.OpenFile(path, (ulong)size, share: false));
        var share = size / threads;
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            for (var at = i * share; at < (i + 1) * share; at += GuestPage.Size)
            {
                if (!ZeroPage.Is(block.Read((ulong)at, GuestPage.Size)))
                    throw new InvalidDataException($"a page at {at} isn't zero");
            }
        })).ToList();
        var watch = Stopwatch.StartNew();
        all.ForEach(t => t.Start());
        all.ForEach(t => t.Join());
        return watch.Elapsed.TotalSeconds;
    }
}
