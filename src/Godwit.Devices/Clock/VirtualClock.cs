using System.Diagnostics;
using Godwit.Linux;

namespace Godwit.Devices.Clock;

/// <summary>The guest's time in nanoseconds: goes while the machine runs, rests while it is paused (QEMU: <c>QEMU_CLOCK_VIRTUAL</c>).
/// Its timers fire on a thread of its own, with the machine's lock held.</summary>
public sealed class VirtualClock : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _deviceLock;
    private readonly List<ClockTimer> _timers = [];
    private readonly Lock _timersLock = new();
    private readonly Alarm _changed = new();
    private readonly Thread _thread;
    private volatile Origin _origin = new(0, 0, Runs: false);
    private volatile bool _disposed;

    /// <param name="deviceLock">The machine's lock.</param>
    public VirtualClock(Lock deviceLock)
    {
        _deviceLock = deviceLock;
        _thread = new Thread(Run) { IsBackground = true, Name = "clock" };
        _thread.Start();
    }

    public bool IsRunning => _origin.Runs;

    /// <summary>In nanoseconds since the machine began, without its pauses.</summary>
    public long Now => _origin.Now;

    /// <summary>A timer that isn't set yet.</summary>
    /// <param name="fired">Called on the clock's thread with the machine's lock held.</param>
    public ClockTimer CreateTimer(Action fired)
    {
        var timer = new ClockTimer(this, fired);
        lock (_timersLock)
            _timers.Add(timer);
        return timer;
    }

    /// <summary>Lets time go on. Timers that are due fire.</summary>
    public void Start()
    {
        if (IsRunning)
            return;
        _origin = new Origin(Now, HostNanoseconds(), Runs: true);
        _changed.Set();
    }

    /// <summary>Stops time. A timer that is firing just now still ends; afterwards none fires. Harts stand already: one that read the time
    /// just now may have seen a later one than the clock stops at.</summary>
    public void Stop()
    {
        lock (_deviceLock)
            _origin = new Origin(Now, 0, Runs: false);
    }

    /// <summary>Sets the time of a stopped clock, as an incoming machine's is.</summary>
    public void Set(long nanoseconds)
    {
        if (IsRunning)
            throw new InvalidOperationException("the clock runs");
        _origin = new Origin(nanoseconds, 0, Runs: false);
    }

    /// <summary>Moves the time of a stopped clock forward; timers that become due on the way fire, each at its time (QEMU: qtest's <c>clock_step</c>).</summary>
    /// <param name="nanoseconds">How far.</param>
    public void Step(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        lock (_deviceLock)
        {
            var end = Now + nanoseconds;
            while (NextTimer() is { } due && due.Deadline <= end)
            {
                Set(Math.Max(Now, due.Deadline));
                due.Fire();
            }

            Set(end);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _changed.Set();
        if (Thread.CurrentThread != _thread)
            _thread.Join();
        _changed.Dispose();
    }

    internal void Changed() => _changed.Set();

    // .NET's stopwatch counts nanoseconds on Linux (clock_gettime of CLOCK_MONOTONIC).
    private static long HostNanoseconds() => Stopwatch.GetTimestamp();

    private void Run()
    {
        while (!_disposed)
        {
            var next = IsRunning ? FireDue() : Never;
            _changed.Wait(next == Never ? -1 : Math.Max(0, next - Now));
        }
    }

    /// <returns>When the next timer is due.</returns>
    private long FireDue()
    {
        lock (_deviceLock)
        {
            while (IsRunning)
            {
                var due = NextTimer();
                if (due is null || due.Deadline > Now)
                    return due?.Deadline ?? Never;
                due.Fire();
            }

            return Never;
        }
    }

    /// <summary>What the time is reckoned from; one object, so that harts, which take no lock, see all of it or nothing.</summary>
    private sealed record Origin(long Base, long StartedAt, bool Runs)
    {
        public long Now => Runs ? Base + HostNanoseconds() - StartedAt : Base;
    }

    private ClockTimer? NextTimer()
    {
        lock (_timersLock)
        {
            ClockTimer? due = null;
            foreach (var timer in _timers)
                if (due is null || timer.Deadline < due.Deadline)
                    due = timer;
            return due is { IsSet: true } ? due : null;
        }
    }
}

/// <summary>Fires once, when the clock reaches its deadline.</summary>
public sealed class ClockTimer
{
    private const long NotSet = long.MaxValue;

    private readonly VirtualClock _clock;
    private readonly Action _fired;
    private long _deadline = NotSet;

    internal ClockTimer(VirtualClock clock, Action fired)
    {
        _clock = clock;
        _fired = fired;
    }

    /// <summary>In the clock's nanoseconds; <see cref="long.MaxValue"/> when it isn't set.</summary>
    public long Deadline => Volatile.Read(ref _deadline);

    /// <summary>Whether it is going to fire.</summary>
    public bool IsSet => Deadline != NotSet;

    /// <param name="nanoseconds">When to fire, in the clock's time; one that has passed fires at once.</param>
    public void Set(long nanoseconds)
    {
        Volatile.Write(ref _deadline, nanoseconds);
        _clock.Changed();
    }

    public void Cancel() => Volatile.Write(ref _deadline, NotSet);

    internal void Fire()
    {
        Cancel();
        _fired();
    }
}
