namespace Godwit.Wire;

/// <summary>
/// A migration stream that breaks its own format: says in which section and field, at which byte of the stream, and why.
/// </summary>
public sealed class MigrationStreamException : Exception
{
    /// <param name="offset">Bytes from the start of the stream to the field that is wrong.</param>
    /// <param name="section">The section as <c>name</c> or <c>name/instance</c>; <c>stream</c> outside any section.</param>
    /// <param name="field">The field, by the name the wire documentation gives it.</param>
    /// <param name="reason">What is wrong with it.</param>
    public MigrationStreamException(long offset, string section, string field, string reason)
        : base($"at byte {offset} (0x{offset:x}), section '{section}', field '{field}': {reason}")
    {
        Offset = offset;
        Section = section;
        Field = field;
        Reason = reason;
    }

    /// <summary>Bytes from the start of the stream.</summary>
    public long Offset { get; }

    public string Section { get; }

    public string Field { get; }

    public string Reason { get; }

    /// <summary>The name of the capability or mode that the stream needs and the reader doesn't offer, or null for a format error.</summary>
    public string? Unsupported { get; init; }
}
