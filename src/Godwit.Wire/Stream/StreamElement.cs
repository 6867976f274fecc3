using Godwit.Wire.Ram;

namespace Godwit.Wire.Stream;

public enum StreamElementKind
{
    /// <summary>Magic and version.</summary>
    Header,

    /// <summary>The configuration section, whole: <see cref="MigrationStreamReader.Configuration"/>.</summary>
    Configuration,

    /// <summary>The header of START, PART, END or FULL: <see cref="MigrationStreamReader.Section"/>.</summary>
    SectionStart,

    /// <summary>Bytes of a section whose format the reader doesn't know.</summary>
    SectionData,

    SectionFooter,

    /// <summary>A command; <see cref="StreamElement.Payload"/> is its payload.</summary>
    Command,

    /// <summary>Bytes of the stream within the stream that command PACKAGED announced.</summary>
    PackagedData,

    /// <summary>The RAM block list's total length: <see cref="StreamElement.PageOffset"/> bytes.</summary>
    RamMemSize,

    /// <summary>An entry of the RAM block list.</summary>
    RamBlock,

    /// <summary>What follows a block's entry in a mapped-ram file, up to the next: bitmap, padding and pages. <see cref="RamBlock.Mapped"/> says where they are.</summary>
    MappedRamData,

    /// <summary>A page in one of its forms: see <see cref="StreamElement.Flags"/>.</summary>
    RamPage,

    /// <summary>EOS, MULTIFD_FLUSH or HOOK: see <see cref="StreamElement.Flags"/>.</summary>
    RamControl,

    Eof,

    /// <summary>Type and length of the JSON description.</summary>
    VmDescriptionHeader,

    /// <summary>Bytes of the JSON description.</summary>
    VmDescriptionData,
}

/// <summary>One element off the stream. Its spans point into the buffer that was read.</summary>
public readonly ref struct StreamElement
{
    public required StreamElementKind Kind { get; init; }

    /// <summary>Bytes from the start of the stream to the element.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes the element takes on the wire. With <see cref="StreamReadMode.HeadersOnly"/> it may reach beyond the buffer.</summary>
    public required long Length { get; init; }

    public CommandType Command { get; init; }

    /// <summary>The block of a RAM block entry or page; null for everything else.</summary>
    public RamBlock? Block { get; init; }

    /// <summary>Bytes from the start of the block to the page.</summary>
    public ulong PageOffset { get; init; }

    /// <summary>Base-2 logarithm of the page size, of a page.</summary>
    public int PageBits { get; init; }

    /// <summary>The item's flags as they came, CONTINUE included.</summary>
    public RamFlags Flags { get; init; }

    /// <summary>
    /// What the element carries: a command's payload, a page, an XBZRLE or zlib encoding, the fill byte of a zero page, raw bytes.
    /// </summary>
    public ReadOnlySpan<byte> Payload { get; init; }
}
