using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Receive;

/// <summary>Where the pages of a packet go in the file. One a channel, used for packet after packet; channels write side by side, as each knows places that no
/// other has.</summary>
internal abstract class PacketPlaces
{
    /// <summary>Settles where the pages of a packet go.</summary>
    /// <returns>False: memory is over.</returns>
    public abstract bool Settle(in MultifdPacket packet, RamBlock block);

    /// <summary>Where to put the bytes of a normal page.</summary>
    public abstract Span<byte> Body(int page);

    /// <summary>Writes the packet's pages.</summary>
    /// <exception cref="IOException">The file can't be written.</exception>
    public abstract void Write();
}
