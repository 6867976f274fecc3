using System.Buffers.Binary;
using System.Text;

namespace Godwit.Devices.FwCfg;

/// <summary>What the guest can read, by key; files have a directory, sorted by name (QEMU: <c>fw_cfg_add_bytes</c>, <c>fw_cfg_add_file</c>).</summary>
public sealed class FwCfgEntries
{
    /// <summary>How many files there can be.</summary>
    public const int FileSlots = 0x20;

    /// <summary>With the 0 at its end.</summary>
    private const int MaxFileName = 56;

    private const int DirectoryHeader = 4, DirectoryEntry = 8 + MaxFileName;
    private const int KeyCount = (int)FwCfgKey.FileFirst + FileSlots;
    private const ushort ArchitectureLocal = 0x8000, WriteChannel = 0x4000;

    private readonly byte[]?[] _entries = new byte[KeyCount][];
    private readonly byte[]?[] _localEntries = new byte[KeyCount][];
    private readonly List<(byte[] Name, byte[] Bytes)> _files = [];

    /// <summary>Whether there can be an entry of this key.</summary>
    public static bool IsKey(ushort key) => (key & ~(ArchitectureLocal | WriteChannel)) < KeyCount;

    /// <summary>An entry's bytes; nothing when there is none.</summary>
    public ReadOnlySpan<byte> this[ushort key]
    {
        get
        {
            var index = key & ~(ArchitectureLocal | WriteChannel);
            if (index >= KeyCount)
                return default;
            return (key & ArchitectureLocal) != 0 ? _localEntries[index] : _entries[index];
        }
    }

    /// <exception cref="ArgumentException">The key is taken, or there can't be such a key.</exception>
    public void Add(ushort key, byte[] bytes)
    {
        if (!IsKey(key))
            throw new ArgumentException($"fw_cfg: no key {key:x}", nameof(key));
        ref var entry = ref ((key & ArchitectureLocal) != 0 ? _localEntries : _entries)[key & ~(ArchitectureLocal | WriteChannel)];
        if (entry is not null)
            throw new ArgumentException($"fw_cfg: key {key:x} is there already", nameof(key));
        entry = bytes;
    }

    /// <summary>Adds a file; those with names after it get new keys.</summary>
    /// <exception cref="ArgumentException">The name is too long or taken, or there are too many files.</exception>
    public void AddFile(string name, byte[] bytes)
    {
        var encoded = Encoding.UTF8.GetBytes(name);
        if (encoded.Length is 0 or >= MaxFileName || encoded.Contains((byte)0))
            throw new ArgumentException($"fw_cfg: '{name}' is no file name of up to {MaxFileName - 1} bytes", nameof(name));
        if (_files.Count == FileSlots)
            throw new ArgumentException($"fw_cfg: no room for the file {name}", nameof(name));
        var index = _files.FindIndex(f => f.Name.AsSpan().SequenceCompareTo(encoded) >= 0);
        if (index < 0)
            index = _files.Count;
        else if (_files[index].Name.AsSpan().SequenceEqual(encoded))
            throw new ArgumentException($"fw_cfg: the file {name} is there already", nameof(name));
        _files.Insert(index, (encoded, bytes));
        ListFiles();
    }

    private void ListFiles()
    {
        var directory = new byte[DirectoryHeader + FileSlots * DirectoryEntry];
        BinaryPrimitives.WriteInt32BigEndian(directory, _files.Count);
        for (var i = 0; i < _files.Count; i++)
        {
            var (name, bytes) = _files[i];
            var key = (ushort)((int)FwCfgKey.FileFirst + i);
            _entries[key] = bytes;
            var entry = directory.AsSpan(DirectoryHeader + i * DirectoryEntry, DirectoryEntry);
            BinaryPrimitives.WriteInt32BigEndian(entry, bytes.Length);
            BinaryPrimitives.WriteUInt16BigEndian(entry[4..], key);
            name.CopyTo(entry[8..]);
        }

        _entries[(int)FwCfgKey.FileDirectory] = directory;
    }
}
