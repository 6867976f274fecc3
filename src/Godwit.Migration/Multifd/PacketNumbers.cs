namespace Godwit.Migration.Multifd;

/// <summary>Numbers all channels' packets, from 0.</summary>
internal sealed class PacketNumbers
{
    private long _last = -1;

    public ulong Next() => (ulong)Interlocked.Increment(ref _last);
}
