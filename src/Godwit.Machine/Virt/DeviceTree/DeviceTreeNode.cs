using System.Buffers.Binary;
using System.Text;

namespace Godwit.Machine.Virt.DeviceTree;

/// <param name="Value">As it stands in the blob: cells are big-endian, strings end with a zero byte.</param>
public sealed record DeviceTreeProperty(string Name, byte[] Value);

/// <summary>A node. What is added comes first, before what was there, as libfdt does it: the order is part of what a board's tree is.</summary>
public sealed class DeviceTreeNode
{
    private readonly DeviceTreeStrings _strings;
    private readonly List<DeviceTreeProperty> _properties = [];
    private readonly List<DeviceTreeNode> _children = [];

    internal DeviceTreeNode(string name, DeviceTreeStrings strings)
    {
        Name = name;
        _strings = strings;
    }

    /// <summary>With its unit address, such as <c>serial@10000000</c>; empty for the root.</summary>
    public string Name { get; }

    /// <summary>In the blob's order.</summary>
    public IReadOnlyList<DeviceTreeProperty> Properties => _properties;

    /// <summary>In the blob's order.</summary>
    public IReadOnlyList<DeviceTreeNode> Children => _children;

    /// <summary>The child of that name; a name without unit address also finds the first node with one.</summary>
    public DeviceTreeNode? Child(string name) =>
        _children.Find(c => string.Equals(c.Name, name, StringComparison.Ordinal))
        ?? (name.Contains('@', StringComparison.Ordinal) ? null : _children.Find(c => c.Name.StartsWith(name + "@", StringComparison.Ordinal)));

    /// <summary>Adds a node before its siblings.</summary>
    public DeviceTreeNode AddChild(string name)
    {
        var child = new DeviceTreeNode(name, _strings);
        _children.Insert(0, child);
        return child;
    }

    /// <summary>Null when the node has no such property.</summary>
    public byte[]? Get(string name) => _properties.Find(p => string.Equals(p.Name, name, StringComparison.Ordinal))?.Value;

    /// <summary>Replaces a property where it stands, or adds it before the others.</summary>
    public DeviceTreeNode Set(string name, params byte[] value)
    {
        var at = _properties.FindIndex(p => string.Equals(p.Name, name, StringComparison.Ordinal));
        var property = new DeviceTreeProperty(name, value);
        if (at >= 0)
        {
            _properties[at] = property;
        }
        else
        {
            _strings.Offset(name);
            _properties.Insert(0, property);
        }

        return this;
    }

    /// <summary>A property that says what it has to by being there.</summary>
    public DeviceTreeNode SetFlag(string name) => Set(name);

    /// <summary>One string, or a list of them.</summary>
    public DeviceTreeNode SetStrings(string name, params ReadOnlySpan<string> values) =>
        Set(name, Encoding.UTF8.GetBytes(string.Join('\0', values) + '\0'));

    /// <summary>Cells of 32 bits.</summary>
    public DeviceTreeNode SetCells(string name, params ReadOnlySpan<uint> cells)
    {
        var value = new byte[cells.Length * sizeof(uint)];
        for (var i = 0; i < cells.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(i * sizeof(uint)), cells[i]);
        return Set(name, value);
    }

    /// <summary>Numbers of two cells each, such as addresses and sizes.</summary>
    public DeviceTreeNode SetCellPairs(string name, params ReadOnlySpan<ulong> numbers)
    {
        var value = new byte[numbers.Length * sizeof(ulong)];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(value.AsSpan(i * sizeof(ulong)), numbers[i]);
        return Set(name, value);
    }

    internal void AppendRead(DeviceTreeProperty property) => _properties.Add(property);

    internal DeviceTreeNode AppendRead(string name)
    {
        var child = new DeviceTreeNode(name, _strings);
        _children.Add(child);
        return child;
    }
}
