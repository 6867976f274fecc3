using Godwit.Wire;
using Godwit.Wire.VmState;

namespace Godwit.Archive.Analyze;

/// <param name="Fields">Fields with values, up to the break.</param>
/// <param name="Break">Where section and description part; null where they agree.</param>
public sealed record DecodedDevice(IReadOnlyList<VmValue> Fields, StreamBreak? Break);

/// <summary>Reads a section's body and gives its bytes the description's names.</summary>
public static class DeviceDecoder
{
    /// <summary>Bytes of a section that are read into memory at most.</summary>
    private const int MaxLength = 256 << 20;

    public static DecodedDevice Decode(StreamFile file, SectionReport section)
    {
        var label = section.Header.Label;
        if (section.Description is not { } description)
            return new DecodedDevice([], new StreamBreak(label, "description", section.BodyOffset, "the stream has no description of this section", null));
        if (section.Length > MaxLength)
            return new DecodedDevice([], new StreamBreak(label, "body", section.BodyOffset, $"{section.Length} bytes are more than the {MaxLength} that can be shown", null));
        var body = new byte[section.Length];
        var read = file.Read(section.BodyOffset, body);
        var fields = new List<VmValue>();
        try
        {
            VmStateDecoder.Decode(description, body.AsSpan(0, read), label, section.BodyOffset, fields);
            return new DecodedDevice(fields, null);
        }
        catch (MigrationStreamException e)
        {
            return new DecodedDevice(fields, new StreamBreak(e.Section, e.Field, e.Offset, e.Reason, null));
        }
    }
}
