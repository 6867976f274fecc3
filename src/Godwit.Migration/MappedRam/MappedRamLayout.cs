using System.Runtime.InteropServices;
using Godwit.Memory;
using Godwit.Wire.MappedRam;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.MappedRam;

/// <summary>Where each block's pages go in a file that is being written, and which of them it has. Source: QEMU migration/ram.c, mapped_ram_setup_ramblock and
/// ram_save_file_bmap.</summary>
internal sealed class MappedRamLayout
{
    private readonly List<(RamBlock Block, MappedRamHeader Header, ulong[] Has)> _blocks = [];
    private int _last;

    /// <summary>Gives a block its place.</summary>
    /// <param name="headerOffset">Where its header will stand, bytes from the start of the file.</param>
    public MappedRamHeader Add(RamBlock block, ulong headerOffset)
    {
        var header = MappedRamHeader.Place(headerOffset, block.Length, GuestPage.Bits);
        _blocks.Add((block, header, new ulong[header.BitmapLength(block.Length) / sizeof(ulong)]));
        return header;
    }

    /// <summary>Where a page goes, which the file has from now on. For any thread.</summary>
    /// <returns>Bytes from the start of the file.</returns>
    public long Put(RamBlock block, ulong offset)
    {
        var (_, header, has) = Find(block);
        ref var word = ref has[offset >> (GuestPage.Bits + 6)];
        var bit = 1UL << (int)(offset >> GuestPage.Bits & 63);
        if ((Volatile.Read(ref word) & bit) == 0)
            Interlocked.Or(ref word, bit);
        return (long)(header.PagesOffset + offset);
    }

    /// <summary>A page is zero, whatever the file has at its place. For any thread.</summary>
    public void Clear(RamBlock block, ulong offset)
    {
        var has = Find(block).Has;
        ref var word = ref has[offset >> (GuestPage.Bits + 6)];
        var bit = 1UL << (int)(offset >> GuestPage.Bits & 63);
        if ((Volatile.Read(ref word) & bit) != 0)
            Interlocked.And(ref word, ~bit);
    }

    /// <summary>Writes which pages the file has, once nothing changes any more.</summary>
    /// <returns>Bytes written.</returns>
    /// <exception cref="IOException">The file can't be written.</exception>
    public long WriteBitmaps(SafeFileHandle file)
    {
        var bytes = 0L;
        foreach (var (_, header, has) in _blocks)
        {
            RandomAccess.Write(file, MemoryMarshal.AsBytes(has.AsSpan()), (long)header.BitmapOffset);
            bytes += has.Length * sizeof(ulong);
        }

        return bytes;
    }

    private (RamBlock Block, MappedRamHeader Header, ulong[] Has) Find(RamBlock block)
    {
        var last = _last;
        if (_blocks[last].Block != block)
            _last = last = _blocks.FindIndex(b => b.Block == block);
        return _blocks[last];
    }
}
