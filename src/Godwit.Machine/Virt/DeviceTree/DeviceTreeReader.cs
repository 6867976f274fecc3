using System.Buffers.Binary;
using System.Text;

namespace Godwit.Machine.Virt.DeviceTree;

/// <summary>Reads a blob that nobody vouches for: every offset is checked before it is used.</summary>
internal ref struct DeviceTreeReader(ReadOnlySpan<byte> blob)
{
    private const int MaxDepth = 64;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _blob = blob;
    private ReadOnlySpan<byte> _structure;
    private ReadOnlySpan<byte> _strings;
    private int _position;

    public FlattenedDeviceTree Read()
    {
        if (_blob.Length < FlattenedDeviceTree.HeaderLength || Header(0) != FlattenedDeviceTree.Magic)
            throw new DeviceTreeException("not a device tree blob: it doesn't begin with d00dfeed");
        var total = Header(1);
        if (total > (uint)_blob.Length || total < FlattenedDeviceTree.HeaderLength)
            throw new DeviceTreeException($"its header says {total} bytes, the blob has {_blob.Length}");
        if (Header(5) < FlattenedDeviceTree.Version || Header(6) > FlattenedDeviceTree.Version)
            throw new DeviceTreeException($"version {Header(5)}, readable by version {Header(6)}; what is known is version {FlattenedDeviceTree.Version}");

        _structure = Part("structure block", Header(2), Header(9), total, sizeof(uint));
        _strings = Part("strings block", Header(3), Header(8), total, 1);
        var strings = new DeviceTreeStrings();
        strings.Append(_strings);
        var tree = new FlattenedDeviceTree(strings) { BootProcessor = Header(7) };
        ReadReservations(tree, Part("memory reservations", Header(4), total - Math.Min(Header(4), total), total, sizeof(ulong)));
        ReadNodes(tree.Root);
        return tree;
    }

    private readonly uint Header(int word) => BinaryPrimitives.ReadUInt32BigEndian(_blob[(word * sizeof(uint))..]);

    private readonly ReadOnlySpan<byte> Part(string what, uint offset, uint length, uint total, uint alignment) =>
        offset <= total && length <= total - offset && offset >= FlattenedDeviceTree.HeaderLength && offset % alignment == 0
            ? _blob.Slice((int)offset, (int)length)
            : throw new DeviceTreeException($"its {what} of {length} bytes at {offset} doesn't lie in its {total} bytes");

    private static void ReadReservations(FlattenedDeviceTree tree, ReadOnlySpan<byte> entries)
    {
        for (; ; entries = entries[16..])
        {
            if (entries.Length < 16)
                throw new DeviceTreeException("its memory reservations have no end");
            var address = BinaryPrimitives.ReadUInt64BigEndian(entries);
            var length = BinaryPrimitives.ReadUInt64BigEndian(entries[8..]);
            if (length == 0)
                return;
            tree.Reservations.Add((address, length));
        }
    }

    private void ReadNodes(DeviceTreeNode root)
    {
        var open = new Stack<DeviceTreeNode>();
        var sawRoot = false;
        while (true)
        {
            switch (Token())
            {
                case FlattenedDeviceTree.BeginNode when !sawRoot:
                    if (Name().Length != 0)
                        throw At("the root has a name");
                    open.Push(root);
                    sawRoot = true;
                    break;
                case FlattenedDeviceTree.BeginNode when open.TryPeek(out var parent):
                    if (open.Count >= MaxDepth)
                        throw At($"nodes more than {MaxDepth} deep");
                    open.Push(parent.AppendRead(Name()));
                    break;
                case FlattenedDeviceTree.Property when open.TryPeek(out var node):
                    if (node.Children.Count > 0)
                        throw At($"a property of {node.Name} after its nodes");
                    node.AppendRead(ReadProperty());
                    break;
                case FlattenedDeviceTree.EndNode when open.Count > 0:
                    open.Pop();
                    break;
                case FlattenedDeviceTree.Nop:
                    break;
                case FlattenedDeviceTree.End when sawRoot && open.Count == 0:
                    return;
                case var token:
                    throw At($"token {token} out of place");
            }
        }
    }

    private DeviceTreeProperty ReadProperty()
    {
        var length = Token();
        var nameOffset = Token();
        if (length > (uint)(_structure.Length - _position))
            throw At($"a property of {length} bytes");
        if (nameOffset >= (uint)_strings.Length)
            throw At($"a property's name at {nameOffset} of the strings");
        var value = _structure.Slice(_position, (int)length).ToArray();
        Advance((int)length);
        var name = _strings[(int)nameOffset..];
        var end = name.IndexOf((byte)0);
        return end > 0 ? new DeviceTreeProperty(Text(name[..end]), value) : throw At("a property's name without letters or end");
    }

    private string Name()
    {
        var rest = _structure[_position..];
        var end = rest.IndexOf((byte)0);
        if (end < 0)
            throw At("a node's name without end");
        Advance(end + 1);
        return Text(rest[..end]);
    }

    private readonly string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw At("a name that is no text");
        }
    }

    private uint Token()
    {
        if (_structure.Length - _position < sizeof(uint))
            throw At("its end inside a node");
        var token = BinaryPrimitives.ReadUInt32BigEndian(_structure[_position..]);
        _position += sizeof(uint);
        return token;
    }

    private void Advance(int bytes) => _position = Math.Min(_structure.Length, (_position + bytes + sizeof(uint) - 1) & -sizeof(uint));

    private readonly DeviceTreeException At(string what) => new($"malformed near byte {_position} of its structure block: {what}");
}
