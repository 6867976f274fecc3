using System.Diagnostics;
using Godwit.Linux;
using Godwit.Memory;
using Microsoft.Win32.SafeHandles;

namespace Godwit.SideBySide;

/// <summary>The limit: as many bytes between a file and memory that is there already, with nothing around it.</summary>
internal static class RawFile
{
    private const int Piece = 1 << 20;

    /// <returns>Seconds.</returns>
    public static double Write(string memory, string path, long size, int threads)
    {
        using var block = new RamBlock("from", MemoryMapping.OpenFile(memory, (ulong)size, share: false));
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        return Run(size, threads, (at, length) => RandomAccess.Write(file, block.Read((ulong)at, length), at));
    }

    /// <returns>Seconds.</returns>
    public static double Read(string path, long size, int threads)
    {
        using var block = RamBlock.Create("to", (ulong)size);
        if (!block.TryPopulate(0, block.Length))
            throw new IOException("the host gives no memory");
        using var file = File.OpenHandle(path);
        return Run(size, threads, (at, length) => ReadExactly(file, block.Write((ulong)at, length), at));
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> bytes, long at)
    {
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(file, bytes, at);
            if (count == 0)
                throw new IOException("the file is too short");
            bytes = bytes[count..];
            at += count;
        }
    }

    private static double Run(long size, int threads, Action<long, int> copy)
    {
        var share = size / threads;
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            for (var at = i * share; at < (i + 1) * share; at += Piece)
                copy(at, (int)Math.Min(Piece, ((i + 1) * share) - at));
        })).ToList();
        var watch = Stopwatch.StartNew();
        all.ForEach(t => t.Start());
        all.ForEach(t => t.Join());
        return watch.Elapsed.TotalSeconds;
    }
}
