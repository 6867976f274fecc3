using System.Numerics;

namespace Godwit.Devices.PflashCfi01;

/// <summary>What one chip answers to a common flash interface query (QEMU: <c>pflash_cfi01_fill_cfi_table</c>).</summary>
internal static class CfiTable
{
    private const int Length = 0x52;

    /// <param name="blocks">Erase blocks of a chip.</param>
    /// <param name="blockLength">Of a chip, in bytes.</param>
    /// <param name="writeBufferBits">The write buffer's length is 2 to the power of it.</param>
    public static byte[] Create(int blocks, int blockLength, int writeBufferBits)
    {
        var table = new byte[Length];
        "QRY"u8.CopyTo(table.AsSpan(0x10));
        // Intel's command set, and where its table is.
        table[0x13] = 1;
        table[0x15] = 0x31;
        // Supply voltage: 4.5 to 5.5 V.
        table[0x1b] = 0x45;
        table[0x1c] = 0x55;
        // Typical and maximal times of programming and erasing, as powers of two.
        table[0x1f] = 7;
        table[0x20] = 7;
        table[0x21] = 0x0a;
        table[0x23] = 4;
        table[0x24] = 4;
        table[0x25] = 4;
        table[0x27] = (byte)BitOperations.Log2((uint)blocks * (uint)blockLength);
        // 8 and 16 bits wide.
        table[0x28] = 2;
        table[0x2a] = (byte)writeBufferBits;
        // One region of blocks, and its shape.
        table[0x2c] = 1;
        table[0x2d] = (byte)(blocks - 1);
        table[0x2e] = (byte)((blocks - 1) >> 8);
        table[0x2f] = (byte)(blockLength >> 8);
        table[0x30] = (byte)(blockLength >> 16);
        "PRI10"u8.CopyTo(table.AsSpan(0x31));
        table[0x3f] = 1;
        return table;
    }
}
