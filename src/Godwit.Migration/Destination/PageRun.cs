using System.Buffers.Binary;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire.Ram;
using RamBlock = Godwit.Memory.RamBlock;

namespace Godwit.Migration.Destination;

/// <summary>
/// Whole pages mostly follow one another, each under the same eight bytes but for its offset. After one of them a run of the next is read right into the
/// machine's memory. Where something else came, it is put back, as if it had been read into the buffer: that costs a copy, and the pages it
/// fell on are cleared again, so only pages that haven't come yet are aimed at.
/// </summary>
internal sealed class PageRun : IDisposable
{
    private const int HeaderLength = 8;
    private const int LeastPages = 4;

    /// <summary>All of a run must fit into the buffer, should it be put back.</summary>
    private const int MostPages = 128;
    private const RamFlags Plain = RamFlags.Page | RamFlags.Continue;

    private readonly StreamInput _input;
    private readonly MemoryAhead _population;
    private readonly PageScatter _scatter = new(HeaderLength);
    private int _pages = LeastPages;

    public PageRun(StreamInput input, MemoryAhead population)
    {
        _input = input;
        _population = population;
    }

    /// <summary>Reads on after a plain page, where nothing is in the buffer, for as long as pages follow that haven't come yet.</summary>
    /// <param name="start">The block's, among all positions of the population.</param>
    /// <param name="next">The page that is to follow, in bytes from the start of the block.</param>
    /// <param name="length">Of the block as the stream lists it.</param>
    /// <exception cref="Wire.MigrationStreamException">The stream ends within a page.</exception>
    public void Read(RamBlock block, ulong start, PageSet came, ulong next, ulong length)
    {
        while (came.Missing((long)(next >> GuestPage.Bits), Math.Min(_pages, (long)((length - next) >> GuestPage.Bits))) is > 0 and var pages)
        {
            _population.Reached(start + next);
            _scatter.Aim(block, next, pages);
            var count = _input.Read(_scatter.Places);
            if (count == 0)
                return;
            var page = 0;
            for (; count >= HeaderLength && Follows(page, next); page++, next += GuestPage.Size)
            {
                _input.Step(_scatter.Header(page));
                came.Add((long)(next >> GuestPage.Bits));
                count -= HeaderLength;
                if (count < GuestPage.Size)
                    _input.ReadExactly(block.Write(next + (ulong)count, GuestPage.Size - count));
                count = Math.Max(count - GuestPage.Size, 0);
            }

            if (count > 0)
            {
                PutBack(block, next, page, count);
                _pages = LeastPages;
                return;
            }

            _pages = Math.Min(_pages * 2, MostPages);
        }
    }

    public void Dispose() => _scatter.Dispose();

    /// <summary>Gives back what came from a page of the run on, and makes those pages what they were.</summary>
    private void PutBack(RamBlock block, ulong offset, int page, int count)
    {
        for (; count > 0; page++, offset += GuestPage.Size)
        {
            _input.PutBack(_scatter.Header(page)[..Math.Min(count, HeaderLength)]);
            count -= HeaderLength;
            if (count <= 0)
                return;
            var strayed = block.Write(offset, Math.Min(count, GuestPage.Size));
            _input.PutBack(strayed);
            strayed.Clear();
            count -= GuestPage.Size;
        }
    }

    private bool Follows(int page, ulong offset) => BinaryPrimitives.ReadUInt64BigEndian(_scatter.Header(page)) == (offset | (ulong)Plain);
}
