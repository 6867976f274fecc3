using Godwit.Machine.Cpu;

namespace Godwit.Machine.Lifecycle;

/// <summary>One thread a hart. All run, or all stand between two instructions.</summary>
internal sealed class HartThreads : IDisposable
{
    private readonly IReadOnlyList<Hart> _harts;
    private readonly Action<Hart, Exception> _failed;
    private readonly Thread[] _threads;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim[] _go;
    private readonly CountdownEvent _running = new(1);
    private volatile bool _ended;
    private bool _isRunning;
    private bool _isWanted;
    private bool _isHeld;

    /// <param name="failed">Told, on the hart's thread, of an exception that a hart must not throw.</param>
    public HartThreads(IReadOnlyList<Hart> harts, Action<Hart, Exception> failed)
    {
        _harts = harts;
        _failed = failed;
        _go = [.. harts.Select(_ => new SemaphoreSlim(0))];
        _threads = [.. harts.Select((hart, n) => new Thread(() => Run(hart, _go[n])) { IsBackground = true, Name = $"hart {hart.Id}" })];
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>Lets all harts go on, now or when nothing holds them back any more.</summary>
    public void Start()
    {
        lock (_lock)
        {
            _isWanted = true;
            if (!_isHeld)
                Release();
        }
    }

    /// <summary>Waits until each hart stands at an instruction boundary. Not to be called by a hart, or with the machine's lock held.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isWanted = false;
            Gather();
        }
    }

    /// <summary>Has harts that run stand for a while, whatever else is asked of them (QEMU: <c>cpu_throttle_thread</c>).</summary>
    public void Hold(bool held)
    {
        lock (_lock)
        {
            _isHeld = held;
            if (held)
                Gather();
            else if (_isWanted)
                Release();
        }
    }

    /// <summary>Has each hart pass an instruction boundary with nothing left in its write translations. A hart that sleeps passes it at once.</summary>
    public void Synchronize()
    {
        lock (_lock)
        {
            var ran = _isRunning;
            Gather();
            foreach (var hart in _harts)
                hart.Mmu.FlushWrites();
            if (ran)
                Release();
        }
    }

    public void Dispose()
    {
        Stop();
        _ended = true;
        foreach (var go in _go)
            go.Release();
        foreach (var thread in _threads)
            thread.Join();
        foreach (var go in _go)
            go.Dispose();
        _running.Dispose();
    }

    private void Release()
    {
        if (_isRunning)
            return;
        _isRunning = true;
        _running.Reset(_harts.Count);
        foreach (var go in _go)
            go.Release();
    }

    private void Gather()
    {
        if (!_isRunning)
            return;
        foreach (var hart in _harts)
            hart.RequestStop();
        _running.Wait();
        _isRunning = false;
    }

    private void Run(Hart hart, SemaphoreSlim go)
    {
        while (true)
        {
            go.Wait();
            if (_ended)
                return;
            try
            {
                hart.Run();
            }
            catch (Exception e)
            {
                _failed(hart, e);
            }

            _running.Signal();
        }
    }
}
