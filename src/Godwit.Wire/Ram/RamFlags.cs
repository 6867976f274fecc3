namespace Godwit.Wire.Ram;

/// <summary>
/// The low bits of the be64 that opens each item of a RAM section; the bits above are an offset within a RAM block.
/// Source: QEMU migration/ram.h.
/// </summary>
[Flags]
public enum RamFlags : ushort
{
    None = 0,

    /// <summary>A page of one byte value, which follows; QEMU writes it only with 0.</summary>
    Zero = 0x002,

    /// <summary>The list of RAM blocks; the upper bits are the sum of their lengths.</summary>
    MemSize = 0x004,

    /// <summary>A page, verbatim.</summary>
    Page = 0x008,

    /// <summary>Ends the section.</summary>
    Eos = 0x010,

    /// <summary>The block is that of the item before; otherwise its idstr follows.</summary>
    Continue = 0x020,

    /// <summary>What changed in a page since it was sent last.</summary>
    Xbzrle = 0x040,

    /// <summary>RDMA control; nothing else sends it.</summary>
    Hook = 0x080,

    /// <summary>A page compressed with zlib; QEMU gave it up with 9.1.</summary>
    CompressPage = 0x100,

    /// <summary>The multifd channels meet the main channel here.</summary>
    MultifdFlush = 0x200,
}
