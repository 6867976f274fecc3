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

    /// <summary>Lets all harts go on.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_isRunning)
                return;
            _isRunning = true;
            _running.Reset(_harts.Count);
            foreach (var go in _go)
                go.Release();
        }
    }

    /// <summary>Waits until each hart stands at an instruction boundary. Not to be called by a hart, or with the machine's lock held.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            if (!_isRunning)
                return;
            foreach (var hart in _harts)
                hart.RequestStop();
            _running.Wait();
            _isRunning = false;
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
