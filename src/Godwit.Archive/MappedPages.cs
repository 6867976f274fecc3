using System.Runtime.InteropServices;
using Godwit.Wire.MappedRam;
using Godwit.Wire.Ram;

namespace Godwit.Archive;

/// <summary>Reads which pages of a block a mapped-ram file has.</summary>
internal sealed class MappedPages
{
    private const int Words = 1 << 13;

    private readonly StreamFile _file;
    private readonly MappedRamHeader _header;
    private readonly ulong[] _words = new ulong[Words];

    /// <param name="block">One that the file has the pages of.</param>
    public MappedPages(StreamFile file, RamBlock block)
    {
        _file = file;
        _header = block.Mapped!.Value;
        Count = (long)_header.Pages(block.Length);
    }

    /// <summary>Pages of the block.</summary>
    public long Count { get; }

    /// <summary>Takes a run of pages: the first, how many, and whether the file has them; those that it hasn't are zero.</summary>
    public delegate void Visitor(long first, long count, bool stored);

    /// <summary>Goes over all pages in order.</summary>
    /// <exception cref="IOException">The file became shorter.</exception>
    public void ForEachRun(Visitor visit)
    {
        for (var first = 0L; first < Count; first += Words * 64L)
        {
            var count = Math.Min(Words * 64L, Count - first);
            var words = _words.AsSpan(0, (int)((count + 63) / 64));
            var bytes = MemoryMarshal.AsBytes(words);
            if (_file.Read((long)_header.BitmapOffset - _file.Start + (first / 8), bytes) < bytes.Length)
                throw new IOException("the file became shorter while it was read");
            var zero = 0L;
            for (var next = 0L; MappedRamBitmap.TryNextRun(words, count, ref next, out var run, out var length); zero = next)
            {
                if (run > zero)
                    visit(first + zero, run - zero, stored: false);
                visit(first + run, length, stored: true);
            }

            if (count > zero)
                visit(first + zero, count - zero, stored: false);
        }
    }
}
