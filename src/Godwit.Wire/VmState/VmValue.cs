namespace Godwit.Wire.VmState;

/// <summary>A field of a saved device with its value.</summary>
/// <param name="Name">The field's name, with its index where it is one of an array.</param>
/// <param name="Offset">Bytes from the start of the section's body.</param>
/// <param name="Length">Bytes on the wire.</param>
/// <param name="Text">The value as text; null where it is made of <paramref name="Children"/>.</param>
/// <param name="Children">Fields of a struct or subsection; elements of an array.</param>
public sealed record VmValue(string Name, string Type, long Offset, long Length, string? Text, IReadOnlyList<VmValue> Children)
{
    /// <summary>True for a subsection: an optional part, which carries its own name and version on the wire.</summary>
    public bool IsSubsection { get; init; }
}
