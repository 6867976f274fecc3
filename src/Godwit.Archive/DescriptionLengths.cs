using System.Buffers.Binary;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Archive;

/// <summary>
/// Section lengths out of the stream's own description: devices stand there in stream order, and their fields add up to the section.
/// A length counts only where the section's footer stands at its end; otherwise the section is left to be found by its footer (a few
/// devices describe less, or more, than they write).
/// </summary>
public sealed class DescriptionLengths : ISectionLengths
{
    private readonly VmDescription _description;
    private readonly StreamFile _file;
    private readonly bool _footers;
    private int _next;

    /// <param name="skip">Devices whose sections came before.</param>
    /// <param name="footers">Whether the stream's sections end in footers.</param>
    public DescriptionLengths(VmDescription description, StreamFile file, int skip, bool footers)
    {
        _description = description;
        _file = file;
        _next = skip;
        _footers = footers;
    }

    /// <summary>The first section that isn't the one which the description has at its place, or null.</summary>
    public string? Mismatch { get; private set; }

    /// <summary>True when every described device has been seen.</summary>
    public bool IsExhausted => Mismatch is null && _next == _description.Devices.Count;

    public long? BodyLength(SectionHeader header, long bodyOffset)
    {
        if (Mismatch is not null)
            return null;
        if (_next >= _description.Devices.Count)
        {
            Mismatch = $"section '{header.Label}' is not in the description";
            return null;
        }

        var device = _description.Devices[_next++];
        if (device.Name != header.Name || device.InstanceId != header.InstanceId)
        {
            Mismatch = $"section '{header.Label}' stands where the description has '{device.Name}' instance {device.InstanceId}";
            return null;
        }

        if (device.Length() is not { } length || length > _file.Length - bodyOffset)
            return null;
        return !_footers || HasFooter(bodyOffset + length, header.Id) ? length : null;
    }

    private bool HasFooter(long offset, uint id)
    {
        Span<byte> footer = stackalloc byte[SectionHeader.FooterLength];
        return _file.Read(offset, footer) == footer.Length
            && footer[0] == (byte)SectionType.Footer
            && BinaryPrimitives.ReadUInt32BigEndian(footer[1..]) == id;
    }
}
