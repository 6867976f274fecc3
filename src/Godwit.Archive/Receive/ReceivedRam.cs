using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>Guest memory on its way into a file, in one of the layouts that a file can have.</summary>
internal abstract class ReceivedRam : IDisposable
{
    private readonly SectionHeader _section;

    protected ReceivedRam(PartialFile file, MigrationStreamReader reader)
    {
        File = file;
        Blocks = reader.Blocks;
        _section = reader.Section!;
    }

    /// <summary>Pages in the file with their bytes.</summary>
    public abstract long StoredPages { get; }

    /// <summary>Pages that are zero and take next to no room.</summary>
    public abstract long ZeroPages { get; }

    /// <summary>Pages that came again, in later rounds.</summary>
    public abstract long RewrittenPages { get; }

    /// <summary>Pages that have come, for a progress bar.</summary>
    public abstract long Progress { get; }

    protected PartialFile File { get; }

    protected IReadOnlyList<RamBlock> Blocks { get; }

    /// <summary>Null: the source has listed no such block.</summary>
    public RamBlock? FindBlock(ReadOnlySpan<byte> name)
    {
        foreach (var block in Blocks)
        {
            if (block.HasName(name))
                return block;
        }

        return null;
    }

    /// <summary>Adds a page of the main channel's.</summary>
    /// <exception cref="MigrationStreamException">A page that can't be what it claims.</exception>
    public abstract void Add(in StreamElement page, StreamInput input);

    /// <summary>Adds a page of the main channel's beside those of others.</summary>
    /// <exception cref="MigrationStreamException">A page that can't be what it claims.</exception>
    public abstract void AddShared(in StreamElement page, StreamInput input);

    /// <summary>Writes what is still in the input's buffer; to be called before the buffer moves.</summary>
    public abstract void Flush(ReadOnlySpan<byte> buffer);

    /// <summary>Where a multifd channel's pages go; one a channel.</summary>
    public abstract PacketPlaces CreatePlaces(int pageBits);

    /// <summary>No packet is taken any more. All that were must be written.</summary>
    public abstract void EndPackets();

    /// <summary>Writes what can only be written when all pages have come.</summary>
    public abstract void Finish(bool footers);

    /// <summary>Fills in what waits for the page size, which may show in the description only, where all pages are zero.</summary>
    public virtual void TellPageSize(int pageBits)
    {
    }

    /// <summary>The END section, which has no page left to bring.</summary>
    public void WriteEnd(bool footers)
    {
        WriteHeader(SectionType.End);
        WriteEos(footers);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    protected void WriteHeader(SectionType type)
    {
        Span<byte> buffer = stackalloc byte[SectionHeader.MaxLength];
        var writer = new WireWriter(buffer);
        (_section with { Type = type }).Write(ref writer);
        File.Append(writer.Written);
    }

    protected void WriteEos(bool footers)
    {
        Span<byte> buffer = stackalloc byte[8 + SectionHeader.FooterLength];
        var writer = new WireWriter(buffer);
        RamItem.WriteEos(ref writer);
        if (footers)
            _section.WriteFooter(ref writer);
        File.Append(writer.Written);
    }

    /// <summary>Pages are smaller than the source's target can have them.</summary>
    protected static MigrationStreamException TooSmall(int pageBits) =>
        new(0, SectionHeader.RamName, "page size", $"pages of {1 << pageBits} bytes came, and they must be larger: give their size with --page-size");

    protected static MigrationStreamException Error(in StreamElement page, string field, string reason) =>
        new(page.Offset, SectionHeader.RamName, field, reason);
}
