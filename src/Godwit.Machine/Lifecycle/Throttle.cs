namespace Godwit.Machine.Lifecycle;

/// <summary>Holds harts back for a part of their time: they run for 10 ms and then stand for as long as makes the percentage
/// (QEMU: <c>cpu_throttle_thread</c>, migration/cpu-throttle.c).</summary>
internal sealed class Throttle : IDisposable
{
    /// <summary>Milliseconds.</summary>
    private const int Timeslice = 10;

    private readonly HartThreads _harts;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;
    private volatile int _percent;

    public Throttle(HartThreads harts, int percent)
    {
        _harts = harts;
        _percent = percent;
        _thread = new Thread(Run) { IsBackground = true, Name = "throttle" };
        _thread.Start();
    }

    /// <summary>Of their time, 1 to 99; from the next timeslice on.</summary>
    public int Percent
    {
        get => _percent;
        set => _percent = value;
    }

    /// <summary>The harts run as before.</summary>
    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
    }

    private void Run()
    {
        while (!_ended.Wait(Timeslice))
        {
            var percent = _percent;
            _harts.Hold(true);
            _ended.Wait(Timeslice * percent / (100 - percent));
            _harts.Hold(false);
        }
    }
}
