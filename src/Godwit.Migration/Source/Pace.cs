using Godwit.Migration.Control;

namespace Godwit.Migration.Source;

/// <summary>Windows of 100 ms: how much may be sent in one, how fast it went, and how much could go within the downtime allowed.
/// Source: QEMU migration/migration.c, migration_update_counters.</summary>
internal sealed class Pace
{
    private const int WindowMilliseconds = 100;
    private const int WindowsPerSecond = 1000 / WindowMilliseconds;
    private const int TooLittleToReckon = 10000;

    /// <summary>Milliseconds of a downtime that are for the harts, the devices and the start over there.</summary>
    private const double MostReserve = 10;
    private const double ReserveOfLimit = 0.2;

    private readonly RamCounters _counters;
    private readonly Func<long> _clock;
    private long _since;
    private long _from;
    private long _pagesBefore;
    private double _perMillisecond;

    /// <param name="clock">Milliseconds.</param>
    public Pace(RamCounters counters, Func<long> clock)
    {
        _counters = counters;
        _clock = clock;
        _since = clock();
    }

    /// <summary>Bytes that are thought to go within the downtime limit, beside all else that has to happen in it.</summary>
    public double Threshold { get; private set; }

    /// <summary>Milliseconds; 0 until it can be reckoned.</summary>
    public long ExpectedDowntime { get; private set; }

    /// <summary>How many are thought to go in that time.</summary>
    public double BytesIn(int milliseconds) => _perMillisecond * milliseconds;

    /// <summary>The position in the stream where this window's bytes are used up.</summary>
    public long Limit(Parameters parameters) => parameters.MaxBandwidth == 0
        ? long.MaxValue
        : _from + (long)Math.Clamp(parameters.MaxBandwidth / WindowsPerSecond, 1, long.MaxValue / 2);

    /// <summary>Milliseconds until the next window.</summary>
    public int Left => (int)Math.Clamp(_since + WindowMilliseconds - _clock(), 0, WindowMilliseconds);

    /// <summary>Starts the next window where this one is over.</summary>
    public void Update(long position, Parameters parameters)
    {
        var now = _clock();
        var spent = now - _since;
        if (spent < WindowMilliseconds)
            return;
        var sent = position - _from;
        _perMillisecond = parameters.AvailSwitchoverBandwidth == 0 ? (double)sent / spent : parameters.AvailSwitchoverBandwidth / 1000.0;
        Threshold = _perMillisecond * (parameters.DowntimeLimit - Math.Min(parameters.DowntimeLimit * ReserveOfLimit, MostReserve));
        _counters.Mbps = sent * 8.0 / spent / 1000;
        _counters.PagesPerSecond = (_counters.Pages - _pagesBefore) * 1000 / spent;
        if (_counters.DirtyPagesRate != 0 && sent > TooLittleToReckon)
            ExpectedDowntime = (long)(_counters.DirtyBytesAtSync / _perMillisecond);
        _since = now;
        _from = position;
        _pagesBefore = _counters.Pages;
    }
}
