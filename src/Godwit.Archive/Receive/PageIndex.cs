using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Archive.Receive;

/// <summary>
/// One number a guest page. Most of it lives in a sparse temporary file, so that what it takes of memory doesn't grow with the guest:
/// at most 16 MiB, enough to keep the index of 8 GiB of 4 KiB pages without touching the file.
/// </summary>
internal sealed class PageIndex : IDisposable
{
    private const int EntriesPerChunk = 512;
    private const int Slots = 4096;

    private readonly string _path;
    private readonly long[]?[] _chunks = new long[Slots][];
    private readonly long[] _held = new long[Slots];
    private readonly bool[] _changed = new bool[Slots];
    private readonly List<(long First, long Last)> _runs = [];
    private SafeFileHandle? _file;

    /// <param name="path">Name of the temporary file; it is made when it is needed and deleted with the index.</param>
    public PageIndex(string path)
    {
        _path = path;
        Array.Fill(_held, -1);
    }

    /// <summary>The number of page <paramref name="page"/>; 0 where none was set.</summary>
    public long this[long page]
    {
        get => Chunk(page / EntriesPerChunk)[page % EntriesPerChunk];
        set
        {
            var chunk = page / EntriesPerChunk;
            Chunk(chunk)[page % EntriesPerChunk] = value;
            _changed[chunk % Slots] = true;
        }
    }

    /// <summary>Calls <paramref name="visit"/> for every page in ascending order that lies in <paramref name="from"/>..<paramref name="to"/> and has a number.</summary>
    public void ForEach(long from, long to, Action<long, long> visit)
    {
        var begin = RunAt(from / EntriesPerChunk);
        for (var run = begin; run < _runs.Count && _runs[run].First <= (to - 1) / EntriesPerChunk; run++)
        {
            var (first, last) = _runs[run];
            var end = Math.Min(last, (to - 1) / EntriesPerChunk);
            for (var chunk = Math.Max(first, from / EntriesPerChunk); chunk <= end; chunk++)
            {
                var entries = Chunk(chunk);
                for (var i = 0; i < EntriesPerChunk; i++)
                {
                    var page = (chunk * EntriesPerChunk) + i;
                    if (entries[i] != 0 && page >= from && page < to)
                        visit(page, entries[i]);
                }
            }
        }
    }

    public void Dispose() => _file?.Dispose();

    private long[] Chunk(long number)
    {
        var slot = (int)(number % Slots);
        if (_held[slot] == number)
            return _chunks[slot]!;
        var chunk = _chunks[slot] ??= new long[EntriesPerChunk];
        if (_changed[slot])
            Store(_held[slot], chunk);
        _changed[slot] = false;
        _held[slot] = number;
        if (Remember(number))
            Array.Clear(chunk);
        else
            Load(number, chunk);
        return chunk;
    }

    private void Store(long number, long[] chunk)
    {
        _file ??= File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        RandomAccess.Write(_file, MemoryMarshal.AsBytes<long>(chunk.AsSpan()), number * EntriesPerChunk * sizeof(long));
    }

    private void Load(long number, long[] chunk)
    {
        var bytes = MemoryMarshal.AsBytes<long>(chunk.AsSpan());
        var read = _file is null ? 0 : RandomAccess.Read(_file, bytes, number * EntriesPerChunk * sizeof(long));
        bytes[read..].Clear();
    }

    /// <summary>The first run that ends at or after a chunk.</summary>
    private int RunAt(long chunk)
    {
        int low = 0, high = _runs.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].Last < chunk)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>Adds a chunk to the runs of chunks that were ever held.</summary>
    /// <returns>True where it is new.</returns>
    private bool Remember(long number)
    {
        var low = RunAt(number);
        if (low < _runs.Count && _runs[low].First <= number)
            return false;
        var before = low > 0 && _runs[low - 1].Last == number - 1;
        var after = low < _runs.Count && _runs[low].First == number + 1;
        if (before && after)
        {
            _runs[low - 1] = (_runs[low - 1].First, _runs[low].Last);
            _runs.RemoveAt(low);
        }
        else if (before)
        {
            _runs[low - 1] = (_runs[low - 1].First, number);
        }
        else if (after)
        {
            _runs[low] = (number, _runs[low].Last);
        }
        else
        {
            _runs.Insert(low, (number, number));
        }

        return true;
    }
}
