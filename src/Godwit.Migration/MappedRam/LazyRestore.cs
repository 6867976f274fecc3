using System.Runtime.InteropServices;
using Godwit.Memory;
using Godwit.Wire.MappedRam;
using Microsoft.Win32.SafeHandles;
using WireBlock = Godwit.Wire.Ram.RamBlock;

namespace Godwit.Migration.MappedRam;

/// <summary>
/// Starts a guest before its memory is read: what it touches is read first, on the thread that touches it, and threads of this read the rest. A file that is written to or cut
/// meanwhile is noticed by what it was when the reading began, after each read and before anybody sees what was read; then nothing is read from it any more.
/// </summary>
internal sealed class LazyRestore : IDisposable
{
    private const int PaceMilliseconds = 10;
    private const int ChunkPages = (int)(RamBlock.ChunkLength >> GuestPage.Bits);

    private readonly List<Block> _blocks = [];
    private readonly SafeFileHandle _file;
    private readonly IReadOnlyList<SafeFileHandle> _rest;
    private readonly string _name;
    private readonly FileStamp _stamp;
    private readonly Func<ulong> _bandwidth;
    private readonly Lock _lock = new();
    private readonly object _end = new();
    private int _block;
    private ulong _chunk;
    private int _missing;
    private PageLostException? _failure;
    private volatile bool _stopped;
    private long _started;
    private long _read;

    /// <param name="file">For what the guest touches; goes with this.</param>
    /// <param name="rest">For what it hasn't touched yet, one a thread; they go with this.</param>
    /// <param name="bandwidth">Bytes a second that nobody has asked for; 0: as many as can be.</param>
    public LazyRestore(SafeFileHandle file, IReadOnlyList<SafeFileHandle> rest, string name, Func<ulong> bandwidth)
    {
        _bandwidth = bandwidth;
        _file = file;
        _rest = rest;
        _name = name;
        _stamp = FileStamp.Settled(file);
    }

    /// <summary>From now on pages of a block are read when they are needed.</summary>
    public void Add(RamBlock memory, WireBlock listed)
    {
        _blocks.Add(new Block(memory, listed.Mapped!.Value, (long)listed.Mapped.Value.Pages(listed.Length)));
        _missing++;
        memory.Expect((block, offset, length) => Fetch(_file, block, offset, length), Arrived);
    }

    /// <summary>Reads what nobody has touched, and returns when all of it is there.</summary>
    /// <exception cref="PageLostException">Something can't be read, or isn't what it was.</exception>
    /// <exception cref="OperationCanceledException">It was shut down.</exception>
    public void ReadRest()
    {
        var threads = _rest.Select(file => new Thread(() => Run(file)) { Name = "mig/dst/rest", IsBackground = true }).ToList();
        _started = Environment.TickCount64;
        threads.ForEach(t => t.Start());
        lock (_end)
        {
            while (!_stopped && Volatile.Read(ref _missing) > 0)
                Monitor.Wait(_end);
        }

        threads.ForEach(t => t.Join());
        if (_failure is { } failure)
            throw failure;
        if (_stopped)
            throw new OperationCanceledException();
    }

    /// <summary>Nothing is read any more.</summary>
    public void Dispose()
    {
        Shutdown();
        _file.Dispose();
        foreach (var file in _rest)
            file.Dispose();
    }

    /// <summary>Ends the reading. What was not read is lost to a guest that runs on. For any thread.</summary>
    public void Shutdown()
    {
        _stopped = true;
        Wake();
    }

    private void Run(SafeFileHandle file)
    {
        try
        {
            while (!_stopped && TryTake(out var block, out var chunk))
            {
                block.Fetch(chunk, (memory, offset, length) => Fetch(file, memory, offset, length));
                Pace();
            }
        }
        catch (Exception e)
        {
            Fail(e as PageLostException ?? new PageLostException(e.Message, e));
        }
    }

    /// <summary>Waits until so much may have been read.</summary>
    private void Pace()
    {
        var read = Interlocked.Add(ref _read, (long)RamBlock.ChunkLength);
        while (!_stopped && _bandwidth() is > 0 and var bandwidth && read * 1000.0 / bandwidth > Environment.TickCount64 - _started)
        {
            lock (_end)
                Monitor.Wait(_end, PaceMilliseconds);
        }
    }

    private void Arrived()
    {
        if (Interlocked.Decrement(ref _missing) == 0)
            Wake();
    }

    private void Wake()
    {
        lock (_end)
            Monitor.PulseAll(_end);
    }

    /// <summary>The next chunk in order.</summary>
    private bool TryTake(out RamBlock block, out ulong chunk)
    {
        lock (_lock)
        {
            while (_block < _blocks.Count && _chunk * RamBlock.ChunkLength >= _blocks[_block].Memory.Length)
            {
                _block++;
                _chunk = 0;
            }

            (block, chunk) = _block == _blocks.Count ? (null!, 0) : (_blocks[_block].Memory, _chunk++);
            return block is not null;
        }
    }

    private void Fetch(SafeFileHandle file, RamBlock memory, ulong offset, int length)
    {
        if (Volatile.Read(ref _failure) is { } known)
            throw new PageLostException(known.Message, known);
        try
        {
            var (_, mapped, pages) = _blocks.Find(b => b.Memory == memory);
            Span<ulong> bitmap = stackalloc ulong[ChunkPages / 64];
            var first = (long)(offset >> GuestPage.Bits);
            // The source's block may be shorter than this one: what is behind it in the file is another's.
            length = (int)Math.Clamp((pages - first) << GuestPage.Bits, 0, length);
            bitmap = bitmap[..(((length >> GuestPage.Bits) + 63) / 64)];
            ReadExactly(_file, MemoryMarshal.AsBytes(bitmap), (long)mapped.BitmapOffset + (first / 8));
            var zeros = offset;
            for (var next = 0L; MappedRamBitmap.TryNextRun(bitmap, length >> GuestPage.Bits, ref next, out var run, out var count);)
            {
                var at = offset + ((ulong)run << GuestPage.Bits);
                memory.PlaceZeros(zeros, at - zeros);
                zeros = at + ((ulong)count << GuestPage.Bits);
                ReadExactly(file, memory.Place(at, (int)count << GuestPage.Bits), (long)(mapped.PagesOffset + at));
            }

            memory.PlaceZeros(zeros, offset + (ulong)length - zeros);
            if (FileStamp.Of(_file) != _stamp)
                throw new PageLostException($"{_name} was changed while a guest was being restored from it");
        }
        catch (Exception e)
        {
            var failure = e as PageLostException ?? new PageLostException($"{_name}: page 0x{offset:x} of block '{memory.IdStr}' can't be read: {e.Message}", e);
            Fail(failure);
            throw failure;
        }
    }

    private void Fail(PageLostException failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        _stopped = true;
        Wake();
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> into, long at)
    {
        if (PageFile.ReadAll(file, into, at) is var count && count < into.Length)
            throw new IOException($"the file ends at byte {at + count}");
    }

    private readonly record struct Block(RamBlock Memory, MappedRamHeader Mapped, long Pages);
}
