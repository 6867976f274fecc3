namespace Godwit.Migration.Multifd;

/// <summary>The target's page size, as far as it is known: how long a packet is follows from it. Shared by all channels; for any thread.</summary>
/// <param name="bits">Base-2 logarithm of it; null: what comes will show it.</param>
public sealed class TargetPageSize(int? bits = null)
{
    private int _bits = bits ?? 0;

    /// <summary>Base-2 logarithm of the page size; null as long as nothing has shown it.</summary>
    public int? Bits => Volatile.Read(ref _bits) is > 0 and var known ? known : null;

    /// <summary>Something shows it. What was known first stays: who contradicts it fails by its packets' lengths.</summary>
    public void Tell(int bits) => Interlocked.CompareExchange(ref _bits, bits, 0);
}
