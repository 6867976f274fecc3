using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Godwit.Machine.Virt.DeviceTree;

/// <summary>Writes the blob: header, memory reservations, structure, strings, with no room between them.</summary>
internal static class DeviceTreeWriter
{
    private const int ReservationLength = 16;

    /// <param name="valueWritten">Told each property's name and where in the blob its value stands.</param>
    public static byte[] Write(FlattenedDeviceTree tree, Action<string, Range>? valueWritten = null)
    {
        var structureStart = FlattenedDeviceTree.HeaderLength + (tree.Reservations.Count + 1) * ReservationLength;
        var structure = new ArrayBufferWriter<byte>();
        WriteNode(structure, tree.Root, tree.Strings, structureStart, valueWritten);
        Put(structure, FlattenedDeviceTree.End);

        var stringsStart = structureStart + structure.WrittenCount;
        var blob = new byte[stringsStart + tree.Strings.Length];
        Span<uint> header =
        [
            FlattenedDeviceTree.Magic, (uint)blob.Length, (uint)structureStart, (uint)stringsStart, FlattenedDeviceTree.HeaderLength,
            FlattenedDeviceTree.Version, FlattenedDeviceTree.LastCompatibleVersion, tree.BootProcessor, (uint)tree.Strings.Length, (uint)structure.WrittenCount,
        ];
        for (var i = 0; i < header.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(i * sizeof(uint)), header[i]);
        for (var i = 0; i < tree.Reservations.Count; i++)
        {
            var entry = blob.AsSpan(FlattenedDeviceTree.HeaderLength + i * ReservationLength);
            BinaryPrimitives.WriteUInt64BigEndian(entry, tree.Reservations[i].Address);
            BinaryPrimitives.WriteUInt64BigEndian(entry[sizeof(ulong)..], tree.Reservations[i].Length);
        }

        structure.WrittenSpan.CopyTo(blob.AsSpan(structureStart));
        tree.Strings.Bytes.CopyTo(blob.AsSpan(stringsStart));
        return blob;
    }

    private static void WriteNode(ArrayBufferWriter<byte> to, DeviceTreeNode node, DeviceTreeStrings strings, int start, Action<string, Range>? valueWritten)
    {
        Put(to, FlattenedDeviceTree.BeginNode);
        PutPadded(to, Encoding.UTF8.GetBytes(node.Name + '\0'));
        foreach (var property in node.Properties)
        {
            Put(to, FlattenedDeviceTree.Property);
            Put(to, (uint)property.Value.Length);
            Put(to, (uint)strings.Offset(property.Name));
            var at = start + to.WrittenCount;
            valueWritten?.Invoke(property.Name, at..(at + property.Value.Length));
            PutPadded(to, property.Value);
        }

        foreach (var child in node.Children)
            WriteNode(to, child, strings, start, valueWritten);
        Put(to, FlattenedDeviceTree.EndNode);
    }

    private static void Put(ArrayBufferWriter<byte> to, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to.GetSpan(sizeof(uint)), value);
        to.Advance(sizeof(uint));
    }

    private static void PutPadded(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        to.Write(bytes);
        ReadOnlySpan<byte> zeros = [0, 0, 0];
        to.Write(zeros[..(-bytes.Length & (sizeof(uint) - 1))]);
    }
}
