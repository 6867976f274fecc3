namespace Godwit.Machine.Lifecycle;

/// <summary>Holds harts back for a part of their time: they run for 10 ms and then stand for as long as makes the percentage
/// (QEMU: <c>cpu_throttle_thread</c>, migration/cpu-throttle.c).</summary>
internal sealed class Throttle : IDisposable
{
    /// <summary>Milliseconds.</summary>
    private const int Timeslice = 10;

    private readonly Action<bool> _hold;
    private readonly Func<ManualResetEventSlim, int, bool> _wait;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;
    private volatile int _percent;

    /// <param name="hold">Has the harts stand, or go on.</param>
    /// <param name="percent">Of their time, 1 to 99.</param>
    /// <param name="wait">Waits for the end, so many milliseconds at most; returns whether it came.</param>
    public Throttle(Action<bool> hold, int percent, Func<ManualResetEventSlim, int, bool>? wait = null)
    {
        _hold = hold;
        _wait = wait ?? ((end, milliseconds) => end.Wait(milliseconds));
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
        while (!_wait(_ended, Timeslice))
        {
            var percent = _percent;
            _hold(true);
            _wait(_ended, Timeslice * percent / (100 - percent));
            _hold(false);
        }
    }
}
