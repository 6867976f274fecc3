using Godwit.Wire.Ram;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Archive.Analyze;

/// <summary>What a stream file holds, up to where it breaks.</summary>
public sealed class StreamReport
{
    public required long FileLength { get; init; }

    /// <summary>The machine and what both ends must agree on; null where the stream doesn't say, or breaks before.</summary>
    public ConfigurationSection? Configuration { get; internal set; }

    /// <summary>Bytes of a target page.</summary>
    public int PageSize { get; internal set; }

    /// <summary>Whether sections end in footers; null where no section got so far.</summary>
    public bool? HasFooters { get; internal set; }

    public IReadOnlyList<BlockReport> Blocks { get; internal set; } = [];

    /// <summary>Sections in stream order, a live one where it began.</summary>
    public List<SectionReport> Sections { get; } = [];

    public List<CommandReport> Commands { get; } = [];

    /// <summary>The stream's own description of its devices.</summary>
    public VmDescription? Description { get; internal set; }

    /// <summary>Bytes of the description's JSON.</summary>
    public long DescriptionLength { get; internal set; }

    /// <summary>Whether the stream got to its EOF.</summary>
    public bool ReachedEof { get; internal set; }

    /// <summary>Where and why the stream breaks; null for a whole one.</summary>
    public StreamBreak? Break { get; internal set; }
}

/// <param name="Offset">Bytes from the start of the stream.</param>
/// <param name="Unsupported">The capability that the stream needs and this reader doesn't know; null where the stream is malformed.</param>
public sealed record StreamBreak(string Section, string Field, long Offset, string Reason, string? Unsupported)
{
    public override string ToString() => $"at byte {Offset} (0x{Offset:x}), section '{Section}', field '{Field}': {Reason}";
}

/// <param name="Name">QEMU's name of the command.</param>
public sealed record CommandReport(string Name, long Offset, int PayloadLength);

/// <summary>A RAM block and its pages.</summary>
public sealed class BlockReport
{
    internal BlockReport(RamBlock block, int pageBits)
    {
        Block = block;
        Pages = (long)block.Pages(pageBits);
    }

    public RamBlock Block { get; }

    /// <summary>Pages in the block.</summary>
    public long Pages { get; }

    /// <summary>Pages whose last version came with bytes.</summary>
    public long Stored => MappedStored ?? States.Stored;

    /// <summary>Pages whose last version is zero.</summary>
    public long Zero => MappedStored is { } stored ? (Block.Address is null ? Pages - stored : 0) : States.Zero;

    /// <summary>Pages that never came: a shared block's with x-ignore-shared, or those the guest said are free.</summary>
    public long Missing => Pages - Stored - Zero;

    /// <summary>Versions beyond a page's first.</summary>
    public long Again => States.Again;

    /// <summary>Bytes that the block's pages take in the stream.</summary>
    public long WireBytes { get; internal set; }

    /// <summary>Pages whose bit is set, of a mapped-ram file: the others are zero, but for a block that was shared.</summary>
    internal long? MappedStored { get; set; }

    internal PageStates States { get; } = new();
}

/// <summary>How the end of a section was found.</summary>
public enum SectionProof
{
    /// <summary>The section's own format tells where it ends.</summary>
    Format,

    /// <summary>The description's fields add up to the section, and its footer stands at their end.</summary>
    Described,

    /// <summary>The first footer after which the stream can go on: likely, not proven.</summary>
    Footer,
}

/// <summary>A section: a device, or a live section with all its parts.</summary>
public sealed class SectionReport
{
    public required SectionHeader Header { get; init; }

    /// <summary>Bytes from the start of the stream to the section's first byte.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes from the start of the stream to the body of its first part.</summary>
    public required long BodyOffset { get; init; }

    /// <summary>Bytes of the bodies, all parts together.</summary>
    public long Length { get; internal set; }

    /// <summary>The type of its last part.</summary>
    public SectionType LastType { get; internal set; }

    /// <summary>START, PARTs and END counted; 1 for a device.</summary>
    public int Parts { get; internal set; } = 1;

    /// <summary>Whether its last part was read to its end.</summary>
    public bool IsComplete { get; internal set; }

    public SectionProof Proof { get; internal set; }

    /// <summary>What the description says of it.</summary>
    public VmStructure? Description { get; internal set; }
}
