namespace Godwit.Migration.Source;

/// <summary>
/// When the guest is to be stopped. QEMU (migration/migration.c, migration_iteration_run) stops it as soon as what is left is thought to go within
/// <c>downtime-limit</c>, be it in the middle of the first round. Here a round is sent to its end, and further ones follow while each leaves clearly less
/// than the one before: the guest stands as short as it can, not as long as it may.
/// </summary>
internal sealed class LastRounds(Pace pace)
{
    /// <summary>What is left needs no further round when it goes in that time.</summary>
    private const int ShortMilliseconds = 10;
    private const double ClearlyLess = 0.7;
    private const int Most = 10;

    private double _before = double.PositiveInfinity;
    private int _further;

    /// <param name="pending">Bytes.</param>
    /// <param name="allSent">Whether this round has nothing to send any more.</param>
    /// <param name="guestRuns">One that stands leaves nothing for a further round.</param>
    public bool IsRoundOver(double pending, bool allSent, bool guestRuns) =>
        pending == 0 || pending < (allSent || !guestRuns ? pace.Threshold : Short);

    /// <param name="pending">Bytes, counted anew after a round.</param>
    public bool IsEnough(double pending, bool guestRuns)
    {
        var before = _before;
        _before = pending;
        if (pending == 0)
            return true;
        if (pending >= pace.Threshold)
            return false;
        return !guestRuns || pending < Short || pending > before * ClearlyLess || ++_further > Most;
    }

    private double Short => Math.Min(pace.Threshold, pace.BytesIn(ShortMilliseconds));
}
