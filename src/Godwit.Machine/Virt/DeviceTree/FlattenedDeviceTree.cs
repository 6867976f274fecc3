namespace Godwit.Machine.Virt.DeviceTree;

/// <summary>A device tree that can be changed, and its blob (DTB, version 17, packed as libfdt packs it).</summary>
public sealed class FlattenedDeviceTree
{
    internal const uint Magic = 0xd00dfeed;
    internal const uint Version = 17, LastCompatibleVersion = 16;
    internal const int HeaderLength = 40;
    internal const uint BeginNode = 1, EndNode = 2, Property = 3, Nop = 4, End = 9;

    public FlattenedDeviceTree()
        : this(new DeviceTreeStrings())
    {
    }

    internal FlattenedDeviceTree(DeviceTreeStrings strings)
    {
        Strings = strings;
        Root = new DeviceTreeNode("", strings);
    }

    public DeviceTreeNode Root { get; }

    /// <summary>Ranges (address, length) that the blob asks to leave alone.</summary>
    public IList<(ulong Address, ulong Length)> Reservations { get; } = [];

    internal DeviceTreeStrings Strings { get; }

    internal uint BootProcessor { get; init; }

    /// <summary>Reads a blob.</summary>
    /// <exception cref="DeviceTreeException">It isn't one, or isn't whole.</exception>
    public static FlattenedDeviceTree Parse(ReadOnlySpan<byte> blob) => new DeviceTreeReader(blob).Read();

    /// <summary>The node at a path such as <c>/soc/serial@10000000</c>; null if there is none.</summary>
    public DeviceTreeNode? Find(string path)
    {
        var node = Root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (node.Child(name) is not { } child)
                return null;
            node = child;
        }

        return node;
    }

    /// <summary>The blob.</summary>
    public byte[] ToBytes() => DeviceTreeWriter.Write(this);

    /// <summary>Where in <see cref="ToBytes"/> the values of a property stand, in whatever nodes have it.</summary>
    public IReadOnlyList<Range> ValuesOf(string property)
    {
        var ranges = new List<Range>();
        DeviceTreeWriter.Write(this, (name, range) =>
        {
            if (string.Equals(name, property, StringComparison.Ordinal))
                ranges.Add(range);
        });
        return ranges;
    }
}

/// <summary>A blob that is no device tree, or a malformed one.</summary>
public sealed class DeviceTreeException(string message) : FormatException(message);
