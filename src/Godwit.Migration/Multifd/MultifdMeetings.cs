using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Multifd;

/// <summary>
/// Where in the main channel's stream the multifd channels meet: at MULTIFD_FLUSH, or, from a source with <c>multifd-flush-after-each-section</c> (machine types before
/// QEMU 8.1), at every EOS. Which of both it is memory's START tells, as one meeting belongs to it: with MULTIFD_FLUSH or without. Source: QEMU
/// migration/ram.c, ram_load_precopy.
/// </summary>
public sealed class MultifdMeetings(IncomingChannels channels)
{
    private int _inStart;
    private bool _atEachEos;

    /// <summary>Takes MULTIFD_FLUSH and EOS.</summary>
    /// <param name="control">The element.</param>
    /// <param name="section">The part of memory's section that it stands in.</param>
    /// <exception cref="Wire.MigrationStreamException">A channel is missing, or has failed.</exception>
    public void Take(in StreamElement control, SectionType section)
    {
        if (control.Flags.HasFlag(RamFlags.MultifdFlush))
        {
            // Pages may come after it: START has to be over first, which is next.
            if (section == SectionType.Start)
                _inStart++;
            else
                channels.Meet(control.Offset);
            return;
        }

        if (!control.Flags.HasFlag(RamFlags.Eos))
            return;
        if (section == SectionType.Start)
        {
            _atEachEos = _inStart == 0;
            for (; _inStart > 0; _inStart--)
                channels.Meet(control.Offset);
        }

        if (_atEachEos)
            channels.Meet(control.Offset);
    }
}
