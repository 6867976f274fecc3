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

    /// <summary>Null: the source has listed no such block.</summary>
    public RamBlock? FindBlock(ReadOnlySpan<byte> name)
    {
        foreach (var block in _blocks)
        {
            if (block.HasName(name))
                return block;
        }

        return null;
    }

    /// <summary>Adds a page of the main channel's beside those of others.</summary>
    /// <exception cref="Wire.MigrationStreamException">A page that can't be what it claims.</exception>
    public void AddShared(in StreamElement page, StreamInput input)
    {
        lock (_lock)
        {
            Add(page, input);
            Flush(input.Buffer);
        }
    }

    /// <summary>Settles where the pages of a packet go.</summary>
    /// <returns>False: memory is over.</returns>
    public bool Place(in MultifdPacket packet, RamBlock block, PacketPlaces places)
    {
        lock (_lock)
        {
            if (_finished)
                return false;
            places.Clear(_file.Length);
            for (var i = 0; i < packet.NormalPages; i++)
            {
                var offset = packet.Offset(i);
                var key = Key(block, offset);
                var at = _index[key];
                if (at != 0)
                    RewrittenPages++;
                if (at > ZeroPage)
                {
                    places.Rewrite(i, at);
                    continue;
                }

                // The second record names its block, too: whoever doesn't know the page size finds it by that, as offsets don't ascend here.
                _index[key] = places.Append(i, offset, block == _last && StoredPages > 1 ? null : block.Name);
                Count(block, at == ZeroPage);
            }

            _file.Reserve(places.Length);
            for (var i = packet.NormalPages; i < packet.NormalPages + packet.ZeroPages; i++)
            {
                var key = Key(block, packet.Offset(i));
                var at = _index[key];
                if (at != 0)
                    RewrittenPages++;
                if (at > ZeroPage)
                    places.Zero(at);
                else if (at == 0)
                    ZeroPages++;
                _index[key] = at > ZeroPage ? at : ZeroPage;
            }

            return true;
        }
    }

    /// <exception cref="IOException">The file can't be written.</exception>
    public void Write(PacketPlaces places) => places.WriteTo(_file);

    /// <summary>No packet is taken any more. All that were must be written.</summary>
    public void EndPackets()
    {
        lock (_lock)
            _finished = true;
    }
}
