using Godwit.Migration.Channels;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>What becomes of a multifd channel's pages at the destination; one a channel, called on its thread.</summary>
public interface IPacketSink : IDisposable
{
    /// <summary>Takes a packet with pages: reads its data off the channel, all of it.</summary>
    /// <param name="name">For errors: <c>multifd channel 3</c>.</param>
    /// <param name="at">Of the packet among the channel's bytes, for errors.</param>
    /// <exception cref="Wire.MigrationStreamException">It is malformed.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    void Take(in MultifdPacket packet, Channel channel, string name, long at);
}
