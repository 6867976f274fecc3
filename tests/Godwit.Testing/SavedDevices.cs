using System.Buffers.Binary;
using System.Text;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Testing;

/// <summary>The devices of a whole stream, found from its end: the description says how long each is.</summary>
public static class SavedDevices
{
    /// <param name="Section">From the section's type to its footer's end.</param>
    /// <param name="Body">What the device wrote.</param>
    public sealed record Device(VmStructure Structure, byte[] Section, byte[] Body)
    {
        public string Label => $"{Structure.Name}/{Structure.InstanceId}";
    }

    public static IEnumerable<Device> Of(byte[] stream)
    {
        const int Footer = 5;
        var at = stream.AsSpan().LastIndexOf("\u0005timer\0\0\0\0"u8) - 5;
        foreach (var device in VmDescription.Parse(Description(stream)).Devices)
        {
            var header = 1 + 4 + 1 + device.Name.Length + 4 + 4;
            if (Encoding.ASCII.GetString(stream, at + 6, device.Name.Length) != device.Name)
                throw new InvalidDataException($"{device.Name} isn't at {at}");
            var length = (int)device.Length()!.Value;
            yield return new(device, stream[at..(at + header + length + Footer)], stream[(at + header)..(at + header + length)]);
            at += header + length + Footer;
        }

        if (stream[at] != (byte)SectionType.Eof)
            throw new InvalidDataException($"{at} is not the end of the devices");
    }

    public static byte[] Description(byte[] stream)
    {
        for (var at = stream.Length - 5; at > 0; at--)
        {
            if (stream[at] == (byte)SectionType.VmDescription && BinaryPrimitives.ReadInt32BigEndian(stream.AsSpan(at + 1)) == stream.Length - at - 5)
                return stream[(at + 5)..];
        }

        throw new InvalidDataException("no description");
    }
}
