using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>A field of a device, as the description tells it.</summary>
/// <param name="Type">QEMU's name of the encoding: <c>uint32</c>, <c>buffer</c>, <c>struct</c>, <c>timer</c>, a device's own…</param>
/// <param name="Size">Bytes of one element on the wire.</param>
/// <param name="ArrayLength">Elements that follow each other, where they were described as one.</param>
/// <param name="Index">The element's index, where each was described.</param>
/// <param name="Struct">What a <c>struct</c> or <c>vstruct</c> consists of.</param>
public sealed record VmField(string Name, string Type, long Size, int? ArrayLength, int? Index, VmStructure? Struct)
{
    public int Count => ArrayLength ?? 1;

    internal static VmField Read(JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object)
            throw new FormatException($"the description has {node.ValueKind} where a field must stand");
        string name = "", type = "";
        var size = -1L;
        int? length = null, index = null;
        VmStructure? inner = null;
        foreach (var property in node.EnumerateObject())
        {
            switch (property.Name)
            {
                case "name":
                    name = VmStructure.Text(property.Value);
                    break;
                case "type":
                    type = VmStructure.Text(property.Value);
                    break;
                case "size":
                    size = VmStructure.Number(property.Value);
                    break;
                case "array_len":
                    length = (int)Math.Clamp(VmStructure.Number(property.Value), 0, int.MaxValue);
                    break;
                case "index":
                    index = (int)Math.Clamp(VmStructure.Number(property.Value), 0, int.MaxValue);
                    break;
                case "struct":
                    inner = VmStructure.Read(property.Value);
                    break;
            }
        }

        if (size < 0)
            throw new FormatException($"the description gives field '{name}' no size");
        if (inner is null && type == "vstruct")
            inner = VmStructure.Read(node);
        return new VmField(name, type, size, length, index, inner);
    }
}
