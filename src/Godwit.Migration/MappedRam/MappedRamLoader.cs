using System.Runtime.InteropServices;
using Godwit.Memory;
using Godwit.Wire;
using Godwit.Wire.MappedRam;
using Microsoft.Win32.SafeHandles;
using WireBlock = Godwit.Wire.Ram.RamBlock;

namespace Godwit.Migration.MappedRam;

/// <summary>
/// Reads the pages of a mapped-ram file to where they belong: on the thread that calls, or, with multifd, on as many as there are channels, each with the file open for itself.
/// Each page is read once, so that the order doesn't matter, and all is there when the list of blocks has been read. Source of the rules: QEMU migration/ram.c,
/// parse_ramblock_mapped_ram and read_ramblock_mapped_ram.
/// </summary>
internal sealed class MappedRamLoader
{
    /// <summary>Pages that a thread takes at once: 16 MiB.</summary>
    private const int UnitPages = 4096;

    /// <summary>Bytes that are read at once at most.</summary>
    private const int MostBytes = 1 << 20;

    private readonly SafeFileHandle _file;
    private readonly MemoryAhead _population;
    private readonly List<Block> _blocks = [];
    private readonly Lock _lock = new();
    private int _block;
    private long _page;
    private Exception? _failure;
    private volatile bool _stopped;

    /// <param name="file">For headers and bitmaps.</param>
    public MappedRamLoader(SafeFileHandle file, MemoryAhead population)
    {
        _file = file;
        _population = population;
    }

    /// <summary>Notes a block whose entry was read.</summary>
    /// <param name="offset">Of the entry in the stream, for errors.</param>
    /// <returns>False: none of its pages is in the file.</returns>
    /// <exception cref="MigrationStreamException">The file is too short for it.</exception>
    public bool Add(RamBlock memory, WireBlock listed, long offset)
    {
        // With x-ignore-shared the memory itself was handed over.
        if (listed.Address is not null && memory.IsSharedFile)
            return false;
        var mapped = listed.Mapped!.Value;
        var length = (ulong)RandomAccess.GetLength(_file);
        if (mapped.PagesOffset + listed.Length > length)
            throw new MigrationStreamException(offset, "ram", "mapped-ram pages offset", $"block '{listed.Name}': its pages end at byte {mapped.PagesOffset + listed.Length} of a file of {length} bytes");
        _blocks.Add(new Block(memory, mapped, (long)mapped.Pages(listed.Length), _population.StartOf(memory), offset));
        return true;
    }

    /// <summary>Reads all pages of the blocks that were added.</summary>
    /// <param name="open">Opens the file for a thread's pages; null: they are read here, through the file that this was made with.</param>
    /// <exception cref="MigrationStreamException">The file ends too early.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public void Read(Func<SafeFileHandle>? open, int threads)
    {
        if (open is null)
            Run(_file);
        else
            RunMany(open, threads);
        if (_failure is MigrationStreamException e)
            throw new MigrationStreamException(e.Offset, e.Section, e.Field, e.Reason);
        if (_failure is not null)
            throw new IOException(_failure.Message, _failure);
    }

    /// <summary>Ends the reading soon. For any thread.</summary>
    public void Shutdown()
    {
        Interlocked.CompareExchange(ref _failure, new IOException("the reading was ended"), null);
        _stopped = true;
    }

    private void RunMany(Func<SafeFileHandle> open, int count)
    {
        var files = new List<SafeFileHandle>();
        try
        {
            for (var id = 0; id < count; id++)
                files.Add(open());
            var threads = files.ConvertAll(f => new Thread(() => Run(f)) { Name = "mig/dst/recv", IsBackground = true });
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
        }
        finally
        {
            files.ForEach(f => f.Dispose());
        }
    }

    private void Run(SafeFileHandle pages)
    {
        try
        {
            var words = new ulong[UnitPages / 64];
            while (!_stopped && TryTake(out var block, out var first, out var count))
                Read(pages, block, first, count, words);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            _stopped = true;
        }
    }

    /// <summary>The next pages that nobody has taken yet, in order.</summary>
    private bool TryTake(out Block block, out long first, out int count)
    {
        lock (_lock)
        {
            while (_block < _blocks.Count && _page >= _blocks[_block].Pages)
            {
                _block++;
                _page = 0;
            }

            if (_block == _blocks.Count)
            {
                (block, first, count) = (default, 0, 0);
                return false;
            }

            block = _blocks[_block];
            first = _page;
            count = (int)Math.Min(UnitPages, block.Pages - first);
            _page += count;
            _population.Reached(block.Start + ((ulong)first << GuestPage.Bits));
            return true;
        }
    }

    private void Read(SafeFileHandle pages, in Block block, long first, int count, ulong[] words)
    {
        var bitmap = words.AsSpan(0, (count + 63) / 64);
        ReadExactly(_file, MemoryMarshal.AsBytes(bitmap), (long)block.Mapped.BitmapOffset + (first / 8), block, "mapped-ram bitmap offset");
        var zero = 0L;
        for (var next = 0L; !_stopped && MappedRamBitmap.TryNextRun(bitmap, count, ref next, out var run, out var length);)
        {
            Clear(block.Memory, first + zero, first + run);
            zero = next;
            var offset = (ulong)(first + run) << GuestPage.Bits;
            for (var left = length << GuestPage.Bits; left > 0;)
            {
                var piece = (int)Math.Min(left, MostBytes);
                ReadExactly(pages, block.Memory.Write(offset, piece), (long)(block.Mapped.PagesOffset + offset), block, "mapped-ram pages offset");
                offset += (ulong)piece;
                left -= piece;
            }
        }

        Clear(block.Memory, first + zero, first + count);
    }

    /// <summary>What the bitmap doesn't name is zero.</summary>
    private static void Clear(RamBlock memory, long from, long to)
    {
        for (var page = from; page < to; page++)
            memory.ClearPage((ulong)page << GuestPage.Bits);
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> into, long at, in Block block, string field)
    {
        if (PageFile.ReadAll(file, into, at) is var count && count < into.Length)
            throw new MigrationStreamException(block.Offset, "ram", field, $"block '{block.Memory.IdStr}': the file ends at byte {at + count}, it was cut while it was read");
    }

    /// <param name="Start">Where the block begins among the bytes of all.</param>
    /// <param name="Offset">Of its entry in the stream.</param>
    private readonly record struct Block(RamBlock Memory, MappedRamHeader Mapped, long Pages, ulong Start, long Offset);
}
