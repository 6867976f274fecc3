using Godwit.Memory;
using Godwit.Migration.Control;
using Godwit.Migration.Source;

namespace Godwit.Migration.Multifd;

/// <summary>
/// The source's multifd channels, each with a thread: whichever is free takes the next batch of pages. Source of the rules: QEMU migration/multifd.c, multifd_send
/// and multifd_send_sync_main.
/// <para>
/// A page may go over one channel in this round and over another in the next, and its newer version must win. So after each round over memory all meet: the
/// migration thread waits until every batch is written and every channel has written a SYNC packet, and then writes MULTIFD_FLUSH to the main
/// channel (with <c>multifd-flush-after-each-section</c>, QEMU before 8.1, this comes before each section's EOS, which then means the same). The other side's channels
/// each wait at their SYNC until the main thread has come to the flag. Into a mapped-ram file the batches are ordered by the waiting alone.
/// </para>
/// </summary>
internal sealed class MultifdSource : IDisposable
{
    private const int BatchesPerChannel = 4;

    private readonly IBatchWriter[] _writers;
    private readonly Thread[] _threads;
    private readonly RamCounters _counters;
    private readonly bool _detectZeros;
    private readonly Action _failed;
    private readonly object _lock = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly Queue<PageBatch> _ready = new();
    private readonly Stack<PageBatch> _spare = new();
    private readonly object _meeting = new();
    private readonly int _enough;
    private PageBatch _filling = new();
    private bool _lacking;
    private long _queued;
    private Exception? _failure;
    private int _arrived;
    private int _meetings;
    private bool _remote;
    private volatile bool _stopped;

    /// <param name="writers">One a channel; they go with this.</param>
    /// <param name="failed">Called on a channel's thread, once, when one has failed.</param>
    public MultifdSource(IBatchWriter[] writers, RamCounters counters, ZeroPageDetection detection, Action failed)
    {
        _writers = writers;
        _counters = counters;
        _detectZeros = detection == ZeroPageDetection.Multifd;
        _failed = failed;
        for (var i = 0; i < writers.Length * BatchesPerChannel; i++)
            _spare.Push(new PageBatch());
        _enough = _spare.Count / 2;
        _threads = [.. writers.Select((w, i) => new Thread(() => Run(w)) { Name = $"mig/src/send_{i}", IsBackground = true })];
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>Bytes written to all channels.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 0L;
            foreach (var writer in _writers)
                bytes += writer.Bytes;
            return bytes;
        }
    }

    /// <summary>Bytes of pages that were handed on and aren't written yet.</summary>
    public long Queued => Volatile.Read(ref _queued) * GuestPage.Size;

    /// <summary>What went wrong first; null as long as nothing has.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Has a page sent, soon. It is read when it is sent.</summary>
    /// <param name="isZero">Known without a look.</param>
    /// <exception cref="IOException">A channel failed.</exception>
    public void Add(RamBlock block, ulong offset, bool isZero)
    {
        if (!_filling.Takes(block))
            Flush();
        _filling.Add(block, offset, isZero);
    }

    /// <summary>Hands on what was gathered.</summary>
    /// <exception cref="IOException">A channel failed.</exception>
    public void Flush()
    {
        if (_filling.IsEmpty)
            return;
        lock (_lock)
        {
            while (_spare.Count == 0 && Failure is null)
            {
                // Woken for each batch, it would only fill that one.
                _lacking = true;
                Monitor.Wait(_lock);
            }

            ThrowIfFailed();
            Interlocked.Add(ref _queued, _filling.Pages.Length);
            _ready.Enqueue(_filling);
            _filling = _spare.Pop();
        }

        _work.Release();
    }

    /// <summary>Waits until all pages are written, and, where the other side must know, said so on every channel.</summary>
    /// <exception cref="IOException">A channel failed.</exception>
    public void Synchronize(bool remote)
    {
        Flush();
        lock (_meeting)
        {
            var before = _meetings;
            _remote = remote;
            _work.Release(_writers.Length);
            while (_meetings == before && Failure is null)
                Monitor.Wait(_meeting);
        }

        ThrowIfFailed();
    }

    /// <summary>Lets the channels end, once all was sent.</summary>
    public void End()
    {
        Stop();
        foreach (var writer in _writers)
            writer.End();
    }

    /// <summary>Ends all at once; whoever waits here gets an exception. For any thread.</summary>
    public void Shutdown() => Fail(new OperationCanceledException());

    public void Dispose()
    {
        Shutdown();
        Stop();
        foreach (var writer in _writers)
            writer.Dispose();
    }

    private void Stop()
    {
        _stopped = true;
        _work.Release(_threads.Length);
        foreach (var thread in _threads)
            thread.Join();
    }

    private void Run(IBatchWriter writer)
    {
        try
        {
            while (true)
            {
                if (!_work.Wait(0))
                {
                    writer.Flush();
                    _work.Wait();
                }

                if (_stopped || Failure is not null)
                    return;
                if (Take() is { } batch)
                    Write(writer, batch);
                else
                    Meet(writer);
            }
        }
        catch (Exception e)
        {
            if (Fail(e))
                _failed();
        }
    }

    private PageBatch? Take()
    {
        lock (_lock)
            return _ready.TryDequeue(out var batch) ? batch : null;
    }

    private void Write(IBatchWriter writer, PageBatch batch)
    {
        var queued = batch.Pages.Length;
        if (_detectZeros)
            batch.DetectZeros();
        writer.Write(batch);
        Interlocked.Add(ref _queued, -queued);
        Interlocked.Add(ref _counters.Normal, batch.Pages.Length);
        Interlocked.Add(ref _counters.Duplicate, batch.Zeros.Length);
        batch.Clear();
        lock (_lock)
        {
            _spare.Push(batch);
            if (!_lacking || _spare.Count < _enough)
                return;
            _lacking = false;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Every channel comes here once for each synchronization: who has, waits for the others, as one that is still writing must find its own.</summary>
    private void Meet(IBatchWriter writer)
    {
        writer.Synchronize(_remote);
        lock (_meeting)
        {
            if (++_arrived == _writers.Length)
            {
                _arrived = 0;
                _meetings++;
                Monitor.PulseAll(_meeting);
                return;
            }

            var before = _meetings;
            while (_meetings == before && Failure is null)
                Monitor.Wait(_meeting);
        }
    }

    private bool Fail(Exception e)
    {
        if (Interlocked.CompareExchange(ref _failure, e, null) is not null)
            return false;
        foreach (var writer in _writers)
            writer.Shutdown();

        // Whoever waits, waits no longer: each looks for the failure next.
        _work.Release(_writers.Length);
        lock (_lock)
            Monitor.PulseAll(_lock);
        lock (_meeting)
            Monitor.PulseAll(_meeting);
        return true;
    }

    private void ThrowIfFailed()
    {
        switch (Failure)
        {
            case null:
                return;
            case OperationCanceledException:
                throw new OperationCanceledException();
            case var e:
                throw new IOException(e.Message, e);
        }
    }
}
