using System.Runtime.InteropServices;
using System.Text;

namespace Godwit.Machine.Virt.DeviceTree;

/// <summary>The strings block: names of properties, each once, in the order of their first use. A name that ends another one shares its
/// bytes, as in libfdt, so that a tree built by the same steps is the same to the byte.</summary>
internal sealed class DeviceTreeStrings
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(_bytes);

    public void Append(ReadOnlySpan<byte> block) => _bytes.AddRange(block);

    /// <summary>Where the name stands; it is added if it doesn't yet.</summary>
    public int Offset(string name)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(name) + 1];
        Encoding.UTF8.GetBytes(name, bytes);
        var offset = Bytes.IndexOf(bytes);
        if (offset >= 0)
            return offset;
        offset = _bytes.Count;
        _bytes.AddRange(bytes);
        return offset;
    }
}
