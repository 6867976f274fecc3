using System.Text;

namespace Godwit.Wire.Stream;

/// <summary>
/// The section after the file header: the machine's name, and what the destination must have the same.
/// Source: QEMU migration/savevm.c, vmstate_configuration.
/// <code>
/// | 0x07 | be32 len | name |  then any of:
/// | 0x05 | len 8 | "configuration/target-page-bits" | be32 1 | be32 bits |
/// | 0x05 | len 8 | "configuration/capabilities"     | be32 1 | be32 n | n times: len 8, name |
/// | 0x05 | len 8 | "configuration/uuid"             | be32 1 | 16 bytes |
/// </code>
/// A target whose page size is fixed, or is its smallest, sends no target-page-bits.
/// </summary>
public sealed record ConfigurationSection(string MachineName)
{
    public const string IgnoreShared = "x-ignore-shared";
    public const string MappedRam = "mapped-ram";

    private const string PageBitsName = "configuration/target-page-bits";
    private const string CapabilitiesName = "configuration/capabilities";
    private const string UuidName = "configuration/uuid";
    private const string Label = "configuration";
    private const int MaxMachineName = 255;
    private const int MaxCapabilities = 256;
    private const int MinPageBits = 8;
    private const int MaxPageBits = 16;

    /// <summary>Base-2 logarithm of the target page size, or null where the stream doesn't say.</summary>
    public int? TargetPageBits { get; init; }

    /// <summary>The capabilities that both ends must agree on and the source has on; null where the subsection is missing.</summary>
    public IReadOnlyList<string>? Capabilities { get; init; }

    /// <summary>The machine's UUID, sent where capability validate-uuid is on and <c>-uuid</c> was given.</summary>
    public Guid? Uuid { get; init; }

    public bool Has(string capability) => Capabilities?.Contains(capability, StringComparer.Ordinal) ?? false;

    public void Write(ref WireWriter writer)
    {
        writer.Byte((byte)SectionType.Configuration);
        writer.UInt32((uint)Encoding.UTF8.GetByteCount(MachineName));
        writer.Bytes(Encoding.UTF8.GetBytes(MachineName));
        if (TargetPageBits is { } bits)
        {
            WriteSubsection(ref writer, PageBitsName);
            writer.UInt32((uint)bits);
        }

        if (Capabilities is { } capabilities)
        {
            WriteSubsection(ref writer, CapabilitiesName);
            writer.UInt32((uint)capabilities.Count);
            foreach (var capability in capabilities)
                writer.Counted(capability);
        }

        if (Uuid is { } uuid)
        {
            WriteSubsection(ref writer, UuidName);
            writer.Bytes(uuid.ToByteArray(bigEndian: true));
        }
    }

    /// <summary>Reads what follows the type byte. One byte beyond the section must be there, unless the stream ends.</summary>
    internal static bool TryRead(ref WireReader reader, long offset, bool final, out ConfigurationSection section)
    {
        section = null!;
        if (!reader.TryUInt32(out var length))
            return false;
        if (length is 0 or > MaxMachineName)
            throw Error(offset + reader.Position - 4, "len", $"a machine name of {length} bytes; 1 to {MaxMachineName} are allowed");
        if (!reader.TryBytes((int)length, out var name))
            return false;
        var result = new ConfigurationSection(Encoding.UTF8.GetString(name));
        while (true)
        {
            if (!reader.TryPeekByte(out var next))
            {
                section = result;
                return final;
            }

            if (next != (byte)SectionType.Subsection)
                break;
            if (!TryReadSubsection(ref reader, offset, ref result))
                return false;
        }

        section = result;
        return true;
    }

    private static bool TryReadSubsection(ref WireReader reader, long offset, ref ConfigurationSection result)
    {
        var start = offset + reader.Position;
        if (!reader.TryByte(out _) || !reader.TryCounted(out string name) || !reader.TryUInt32(out var version))
            return false;
        if (version != 1)
            throw Error(start, name, $"version {version} is unknown, only 1 is");
        if ((name == PageBitsName && result.TargetPageBits is not null) || (name == CapabilitiesName && result.Capabilities is not null) || (name == UuidName && result.Uuid is not null))
            throw Error(start, name, "the subsection comes twice");
        switch (name)
        {
            case PageBitsName:
                if (!reader.TryUInt32(out var bits))
                    return false;
                if (bits is < MinPageBits or > MaxPageBits)
                    throw Error(start, name, $"{bits} page bits; {MinPageBits} to {MaxPageBits} are possible");
                result = result with { TargetPageBits = (int)bits };
                return true;
            case CapabilitiesName:
                return TryReadCapabilities(ref reader, start, ref result);
            case UuidName:
                if (!reader.TryBytes(16, out var uuid))
                    return false;
                result = result with { Uuid = new Guid(uuid, bigEndian: true) };
                return true;
            default:
                throw Error(start, name, "an unknown subsection");
        }
    }

    private static bool TryReadCapabilities(ref WireReader reader, long start, ref ConfigurationSection result)
    {
        if (!reader.TryUInt32(out var count))
            return false;
        if (count > MaxCapabilities)
            throw Error(start, "caps_count", $"{count} capabilities; at most {MaxCapabilities} are allowed");
        var capabilities = new List<string>();
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryCounted(out string capability))
                return false;
            capabilities.Add(capability);
        }

        result = result with { Capabilities = capabilities };
        return true;
    }

    private static void WriteSubsection(ref WireWriter writer, string name)
    {
        writer.Byte((byte)SectionType.Subsection);
        writer.Counted(name);
        writer.UInt32(1);
    }

    private static MigrationStreamException Error(long offset, string field, string reason) => new(offset, Label, field, reason);
}
