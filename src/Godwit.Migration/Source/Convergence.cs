using Godwit.Memory;
using Godwit.Migration.Control;

namespace Godwit.Migration.Source;

/// <summary>Reckons the dirty rate about once a second, and holds the harts back where memory is dirtied faster than it is sent.
/// Source: QEMU migration/ram.c, migration_trigger_throttle.</summary>
/// <param name="clock">Milliseconds.</param>
internal sealed class Convergence(IMigratableMachine machine, RamSource ram, Capabilities capabilities, Func<long> clock)
{
    private const int PeriodMilliseconds = 1000;
    private const int TooHighTimes = 2;
    private const int MostPercent = 99;

    private long _since = clock();
    private long _positionBefore;
    private long _pagesBefore;
    private long _missesBefore;
    private long _xbzrlePagesBefore;
    private long _xbzrleBytesBefore;
    private int _tooHigh;
    private int _percent;

    /// <summary>0 where the harts run freely.</summary>
    public int Percent => Volatile.Read(ref _percent);

    /// <summary>After each synchronization.</summary>
    /// <param name="position">Bytes of the stream so far.</param>
    public void AfterSynchronization(long position, Parameters parameters)
    {
        var now = clock();
        var spent = now - _since;
        if (spent <= PeriodMilliseconds)
            return;
        var dirtied = ram.DirtiedInPeriod * GuestPage.Size;
        var threshold = (position - _positionBefore) * parameters.ThrottleTriggerThreshold / 100;
        if (dirtied > threshold && ++_tooHigh >= TooHighTimes)
        {
            _tooHigh = 0;
            if (capabilities["auto-converge"])
                Throttle(Next(dirtied, threshold, parameters));
            else if (capabilities["dirty-limit"])
                Throttle(ForLimit(dirtied * 1000 / spent, parameters));
        }

        UpdateRates(spent);
        _since = now;
        _positionBefore = position;
        ram.DirtiedInPeriod = 0;
    }

    public void End()
    {
        if (_percent != 0)
            Throttle(0);
    }

    private void UpdateRates(long spent)
    {
        var counters = ram.Counters;
        counters.DirtyPagesRate = ram.DirtiedInPeriod * 1000 / spent;
        var pages = counters.Pages - _pagesBefore;
        if (pages == 0)
            return;
        var bytes = counters.XbzrleBytes - _xbzrleBytesBefore;
        counters.XbzrleMissRate = (double)(counters.XbzrleMisses - _missesBefore) / pages;
        counters.XbzrleEncodingRate = bytes == 0 ? 0 : (double)(counters.XbzrlePages - _xbzrlePagesBefore) * GuestPage.Size / bytes;
        _pagesBefore = counters.Pages;
        _missesBefore = counters.XbzrleMisses;
        _xbzrlePagesBefore = counters.XbzrlePages;
        _xbzrleBytesBefore = counters.XbzrleBytes;
    }

    private int Next(long dirtied, long threshold, Parameters parameters)
    {
        if (_percent == 0)
            return parameters.CpuThrottleInitial;
        var more = parameters.CpuThrottleIncrement;
        if (parameters.CpuThrottleTailslow)
        {
            var runs = 100 - _percent;
            more = Math.Min(runs - (int)(runs * ((double)threshold / dirtied)), more);
        }

        return Math.Min(_percent + more, parameters.MaxCpuThrottle);
    }

    /// <summary>The share of time that makes the rate seen (at the present share) the rate allowed.</summary>
    private int ForLimit(long bytesPerSecond, Parameters parameters)
    {
        var free = bytesPerSecond * 100.0 / (100 - _percent);
        var allowed = (double)(parameters.VcpuDirtyLimit << 20);
        return Math.Clamp((int)Math.Ceiling(100 - (100 * allowed / Math.Max(free, 1))), 0, MostPercent);
    }

    private void Throttle(int percent)
    {
        machine.Throttle(percent);
        Volatile.Write(ref _percent, percent);
    }
}
