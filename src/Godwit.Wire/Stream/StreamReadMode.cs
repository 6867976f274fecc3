namespace Godwit.Wire.Stream;

public enum StreamReadMode
{
    /// <summary>Elements are whole: a page comes with its bytes.</summary>
    Whole,

    /// <summary>Pages and raw bytes come without payload, so that a reader of a file can step over them.</summary>
    HeadersOnly,
}

/// <summary>
/// Knows how long the body of a section is whose format the stream reader doesn't know. Sections have no length on the wire; the
/// JSON description at the end of the stream tells them, to whoever can read there first.
/// </summary>
public interface ISectionLengths
{
    /// <param name="header">A section of type FULL.</param>
    /// <param name="bodyOffset">Bytes from the start of the stream to the section's body.</param>
    /// <returns>Bytes from there to the footer, or null where that isn't known.</returns>
    long? BodyLength(SectionHeader header, long bodyOffset);
}
