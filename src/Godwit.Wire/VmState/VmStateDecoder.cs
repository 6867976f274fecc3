using System.Buffers.Binary;
using System.Globalization;

namespace Godwit.Wire.VmState;

/// <summary>Gives the bytes of a saved device the names and values that the stream's description tells.</summary>
public sealed class VmStateDecoder
{
    private const byte SubsectionMark = 0x05;
    private const byte NullPointerMark = (byte)'0';
    private const int MaxElements = 1 << 20;

    /// <summary>Bytes of a buffer that become text; more than the state of any device that isn't memory in disguise.</summary>
    private const int MaxShown = 1 << 20;

    private readonly string _label;
    private readonly long _bodyOffset;
    private int _elements;

    private VmStateDecoder(string label, long bodyOffset)
    {
        _label = label;
        _bodyOffset = bodyOffset;
    }

    /// <param name="label">The section, for errors.</param>
    /// <param name="bodyOffset">Bytes from the start of the stream to <paramref name="body"/>, for errors.</param>
    /// <param name="decoded">What could be decoded, also where the body breaks off.</param>
    /// <exception cref="MigrationStreamException">The body and its description contradict each other.</exception>
    public static void Decode(VmStructure device, ReadOnlySpan<byte> body, string label, long bodyOffset, IList<VmValue> decoded)
    {
        var at = new VmStateDecoder(label, bodyOffset).Structure(device, body, 0, decoded);
        if (at != body.Length)
            throw new MigrationStreamException(bodyOffset + at, label, "end", $"the description ends here, {body.Length - at} bytes before the section does");
    }

    private int Structure(VmStructure structure, ReadOnlySpan<byte> body, int at, IList<VmValue> decoded)
    {
        foreach (var field in structure.Fields)
        {
            if (field.ArrayLength is { } count)
                at = Array(field, count, body, at, decoded);
            else
                at = Element(field, field.Index is { } i ? $"{field.Name}[{i}]" : field.Name, body, at, decoded);
        }

        foreach (var subsection in structure.Subsections)
            at = Subsection(subsection, body, at, decoded);
        return at;
    }

    private int Array(VmField field, int count, ReadOnlySpan<byte> body, int at, IList<VmValue> decoded)
    {
        if (field.Size * (long)count > body.Length - at)
            throw Error(at, field.Name, $"{count} elements of {field.Size} bytes, but only {body.Length - at} bytes are left");
        var elements = new List<VmValue>();
        decoded.Add(new VmValue(field.Name, $"{field.Type}[{count}]", at, field.Size * count, null, elements));
        for (var i = 0; i < count; i++)
            at = Element(field, $"{field.Name}[{i}]", body, at, elements);
        return at;
    }

    private int Element(VmField field, string name, ReadOnlySpan<byte> body, int at, IList<VmValue> decoded)
    {
        if (field.Size > body.Length - at)
            throw Error(at, name, $"{field.Size} bytes, but only {body.Length - at} bytes are left");
        if (++_elements > MaxElements)
            throw Error(at, name, $"more than {MaxElements} fields");
        var length = (int)field.Size;
        if (field.Struct is not { } structure)
        {
            decoded.Add(new VmValue(name, field.Type, at, length, Value(field.Type, body.Slice(at, length)), []));
            return at + length;
        }

        var children = new List<VmValue>();
        decoded.Add(new VmValue(name, structure.VmsdName.Length > 0 ? structure.VmsdName : field.Type, at, length, null, children));
        var end = Structure(structure, body[..(at + length)], at, children);
        if (end != at + length)
            throw Error(end, name, $"its fields end here, {at + length - end} bytes before the struct does");
        return end;
    }

    private int Subsection(VmStructure subsection, ReadOnlySpan<byte> body, int at, IList<VmValue> decoded)
    {
        var reader = new WireReader(body[at..]);
        if (!reader.TryByte(out var mark) || mark != SubsectionMark)
            throw Error(at, subsection.VmsdName, "the description has a subsection here, the section doesn't");
        if (!reader.TryCounted(out string name) || !reader.TryUInt32(out var version))
            throw Error(at, subsection.VmsdName, "the section ends within the subsection's header");
        if (name != subsection.VmsdName)
            throw Error(at, subsection.VmsdName, $"subsection '{name}' stands here");
        var children = new List<VmValue>();
        var start = at;
        at = Structure(subsection, body, at + reader.Position, children);
        decoded.Add(new VmValue(name, $"subsection v{version}", start, at - start, null, children) { IsSubsection = true });
        return at;
    }

    private static string Value(string type, ReadOnlySpan<byte> bytes)
    {
        if (type == "bool" && bytes.Length == 1)
            return bytes[0] == 0 ? "false" : "true";
        if (type == "nullptr")
            return bytes is [NullPointerMark] ? "nullptr" : Hex(bytes);
        if (type is "timer" && bytes.Length == 8)
        {
            var expires = BinaryPrimitives.ReadInt64BigEndian(bytes);
            return expires == -1 ? "off" : $"{expires.ToString(CultureInfo.InvariantCulture)} ns";
        }

        // "int32 equal", "uint8 equal": the same on the wire, checked by the destination; "int32 le": a value that may only shrink.
        var kind = type.Split(' ')[0];
        return kind switch
        {
            "int8" or "int16" or "int32" or "int64" => Signed(bytes),
            "uint8" or "uint16" or "uint32" or "uint64" => Unsigned(bytes),
            _ => Hex(bytes),
        };
    }

    private static string Signed(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 => Text((sbyte)bytes[0]),
        2 => Text(BinaryPrimitives.ReadInt16BigEndian(bytes)),
        4 => Text(BinaryPrimitives.ReadInt32BigEndian(bytes)),
        8 => Text(BinaryPrimitives.ReadInt64BigEndian(bytes)),
        _ => Hex(bytes),
    };

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Unsigned(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 or 2 or 4 or 8 => $"0x{Convert.ToHexStringLower(bytes)}",
        _ => Hex(bytes),
    };

    private static string Hex(ReadOnlySpan<byte> bytes) => bytes.Length <= MaxShown
        ? Convert.ToHexStringLower(bytes)
        : Convert.ToHexStringLower(bytes[..MaxShown]) + "…";

    private MigrationStreamException Error(int at, string field, string reason) => new(_bodyOffset + at, _label, field, reason);
}
