using System.Text;
using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>A device, a subsection of one, or a struct within one: named fields in wire order, then subsections.</summary>
/// <param name="Name">The section's idstr, for a device; otherwise empty.</param>
/// <param name="VmsdName">The name of the VMStateDescription; empty for a device saved by code of its own.</param>
public sealed record VmStructure(string Name, uint InstanceId, string VmsdName, int? Version, IReadOnlyList<VmField> Fields, IReadOnlyList<VmStructure> Subsections)
{
    /// <summary>Bytes of a subsection before its fields: type, length and name, version.</summary>
    public int SubsectionHeaderLength => 1 + 1 + Encoding.UTF8.GetByteCount(VmsdName) + 4;

    /// <summary>Bytes on the wire, subsections included; null where the description contradicts itself.</summary>
    public long? Length()
    {
        var total = 0L;
        foreach (var field in Fields)
        {
            if (field.Size < 0 || field.Size > long.MaxValue / Math.Max(1, field.Count))
                return null;
            total += field.Size * field.Count;
            if (total is < 0 or > long.MaxValue / 2)
                return null;
        }

        foreach (var subsection in Subsections)
        {
            if (subsection.Length() is not { } length || length > (long.MaxValue / 2) - total)
                return null;
            total += subsection.SubsectionHeaderLength + length;
        }

        return total;
    }

    internal static VmStructure Read(JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object)
            throw new FormatException($"the description has {node.ValueKind} where a device or struct must stand");
        string name = "", vmsdName = "";
        var instance = 0u;
        int? version = null;
        var fields = new List<VmField>();
        var subsections = new List<VmStructure>();
        foreach (var property in node.EnumerateObject())
        {
            switch (property.Name)
            {
                case "name":
                    name = Text(property.Value);
                    break;
                case "instance_id":
                    instance = unchecked((uint)Number(property.Value));
                    break;
                case "vmsd_name":
                    vmsdName = Text(property.Value);
                    break;
                case "version":
                    version = (int)Math.Clamp(Number(property.Value), int.MinValue, int.MaxValue);
                    break;
                case "fields":
                    foreach (var field in Items(property.Value))
                        fields.Add(VmField.Read(field));
                    break;
                case "subsections":
                    foreach (var subsection in Items(property.Value))
                        subsections.Add(Read(subsection));
                    break;
            }
        }

        return new VmStructure(name, instance, vmsdName, version, fields, subsections);
    }

    internal static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new FormatException($"the description has {value.ValueKind} where a name must stand");

    internal static long Number(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
        ? number
        : throw new FormatException("the description has something else where a whole number must stand");

    private static JsonElement.ArrayEnumerator Items(JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? value.EnumerateArray()
        : throw new FormatException($"the description has {value.ValueKind} where a list must stand");
}
