namespace Godwit.Memory;

/// <summary>
/// Has the host do, on a thread of its own, what a first touch of guest memory costs, a bit before somebody goes through the blocks in order.
/// Positions count bytes in all blocks one after the other.
/// </summary>
public sealed class MemoryAhead : IDisposable
{
    private const ulong Chunk = 4 << 20;
    private const ulong Distance = 64 << 20;

    private readonly IReadOnlyList<RamBlock> _blocks;
    private readonly Func<RamBlock, ulong, ulong, bool> _touch;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _wake = new();
    private volatile bool _stop;
    private ulong _until;
    private ulong _reached;

    /// <param name="touch">Takes offset and length in a block; false where no more is to be done at all.</param>
    /// <param name="waits">Whether it waits for <see cref="Reached"/>, or begins at once and goes as far as it can.</param>
    public MemoryAhead(string thread, IReadOnlyList<RamBlock> blocks, Func<RamBlock, ulong, ulong, bool> touch, bool waits)
    {
        _blocks = blocks;
        _touch = touch;
        _until = waits ? 0 : ulong.MaxValue;
        _thread = new Thread(Run) { Name = thread, IsBackground = true };
        _thread.Start();
    }

    /// <summary>From now on it waits for <see cref="Reached"/>.</summary>
    public void Wait() => Volatile.Write(ref _until, 0);

    /// <summary>Where a block begins.</summary>
    public ulong StartOf(RamBlock block) => _blocks.TakeWhile(b => b != block).Aggregate(0UL, static (sum, b) => sum + b.Length);

    /// <summary>Memory is touched up to here, and soon further on. For one thread; cheap enough for each page.</summary>
    public void Reached(ulong position)
    {
        if (position + (Distance / 2) <= _until && position + Distance >= _until)
            return;
        Volatile.Write(ref _reached, position);
        Volatile.Write(ref _until, position + Distance);
        _wake.Set();
    }

    /// <summary>Returns when nothing is touched any more.</summary>
    public void Dispose()
    {
        _stop = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        var start = 0UL;
        foreach (var block in _blocks)
        {
            for (var offset = 0UL; offset < block.Length; offset += Chunk)
            {
                while (!_stop && start + offset >= Volatile.Read(ref _until))
                {
                    _wake.Wait();
                    _wake.Reset();
                }

                // Of what has been passed nothing is missing any more.
                if (start + offset + Chunk <= Volatile.Read(ref _reached))
                    continue;
                if (_stop || !_touch(block, offset, Math.Min(Chunk, block.Length - offset)))
                    return;
            }

            start += block.Length;
        }
    }
}
