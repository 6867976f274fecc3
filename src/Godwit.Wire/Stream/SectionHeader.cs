namespace Godwit.Wire.Stream;

/// <summary>
/// What opens a section. PART and END carry only type and id; name, instance and version are those of the START before them.
/// Source: QEMU migration/savevm.c, save_section_header.
/// <code>
/// START, FULL: | type 8 | be32 id | len 8 | idstr | be32 instance | be32 version |
/// PART, END:   | type 8 | be32 id |
/// footer:      | 0x7e   | be32 id |
/// </code>
/// </summary>
/// <param name="Type">One of START, PART, END, FULL.</param>
/// <param name="Id">Unique among the sections of a stream.</param>
/// <param name="Name">The idstr: a device path and device name, at most 255 bytes.</param>
public sealed record SectionHeader(SectionType Type, uint Id, string Name, uint InstanceId, uint VersionId)
{
    /// <summary>The longest header: type, id, idstr with its length, instance and version.</summary>
    public const int MaxLength = 1 + 4 + 256 + 4 + 4;

    public const int FooterLength = 5;

    /// <summary>The idstr of guest memory.</summary>
    public const string RamName = "ram";

    /// <summary>Name, and the instance where it isn't the first one.</summary>
    public string Label => InstanceId == 0 ? Name : $"{Name}/{InstanceId}";

    public bool IsRam => string.Equals(Name, RamName, StringComparison.Ordinal);

    public void Write(ref WireWriter writer)
    {
        writer.Byte((byte)Type);
        writer.UInt32(Id);
        if (Type is SectionType.Start or SectionType.Full)
        {
            writer.Counted(Name);
            writer.UInt32(InstanceId);
            writer.UInt32(VersionId);
        }
    }

    public void WriteFooter(ref WireWriter writer)
    {
        writer.Byte((byte)SectionType.Footer);
        writer.UInt32(Id);
    }

    internal static bool TryReadNamed(ref WireReader reader, SectionType type, long offset, out SectionHeader header)
    {
        header = null!;
        if (!reader.TryUInt32(out var id))
            return false;
        if (!reader.TryCounted(out string name))
            return false;
        if (name.Length == 0)
            throw new MigrationStreamException(offset + 5, $"#{id}", "idstr", "a section without a name");
        if (!reader.TryUInt32(out var instance) || !reader.TryUInt32(out var version))
            return false;
        header = new SectionHeader(type, id, name, instance, version);
        return true;
    }
}
