using Godwit.Migration.Channels;
using Godwit.Wire.Multifd;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>Pages that come over multifd channels, for any thread: what is where is settled under a lock, what is read and written isn't.</summary>
internal sealed partial class CompactRam
{
    private readonly Lock _lock = new();
    private bool _finished;

    public override void AddShared(in StreamElement page, StreamInput input)
    {
        lock (_lock)
        {
            Add(page, input);
            Flush(input.Buffer);
        }
    }

    /// <summary>Settles where the pages of a packet go.</summary>
    /// <returns>False: memory is over.</returns>
    public bool Place(in MultifdPacket packet, RamBlock block, CompactPlaces places)
    {
        lock (_lock)
        {
            if (_finished)
                return false;
            places.Clear(File.Length);
            for (var i = 0; i < packet.NormalPages; i++)
            {
                var offset = packet.Offset(i);
                var key = Key(block, offset);
                var at = _index[key];
                if (at != 0)
                    _rewritten++;
                if (at > ZeroPage)
                {
                    places.Rewrite(i, at);
                    continue;
                }

                // The second record names its block, too: whoever doesn't know the page size finds it by that, as offsets don't ascend here.
                _index[key] = places.Append(i, offset, block == _last && _stored > 1 ? null : block.Name);
                Count(block, at == ZeroPage);
            }

            File.Reserve(places.Length);
            for (var i = packet.NormalPages; i < packet.NormalPages + packet.ZeroPages; i++)
            {
                var key = Key(block, packet.Offset(i));
                var at = _index[key];
                if (at != 0)
                    _rewritten++;
                if (at > ZeroPage)
                    places.Zero(at);
                else if (at == 0)
                    _zero++;
                _index[key] = at > ZeroPage ? at : ZeroPage;
            }

            return true;
        }
    }

    public override PacketPlaces CreatePlaces(int pageBits) => pageBits >= _granuleBits ? new CompactPlaces(this, pageBits) : throw TooSmall(pageBits);

    /// <exception cref="IOException">The file can't be written.</exception>
    public void WriteAt(long at, ReadOnlySpan<byte> bytes) => File.WriteAt(at, bytes);

    public override void EndPackets()
    {
        lock (_lock)
            _finished = true;
    }
}
