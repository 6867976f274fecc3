using System.Buffers.Binary;

namespace Godwit.Machine.Tests.Virt;

/// <summary>Files of the forms that kernels come in, with nothing in them that could run.</summary>
internal static class Kernels
{
    /// <summary>A Linux Image: its header, then bytes.</summary>
    /// <param name="memory">What it says it takes.</param>
    public static byte[] Image(int length, ulong memory = 0)
    {
        var file = new byte[length];
        new Random(length).NextBytes(file);
        file.AsSpan(0, 64).Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(8), 0x20_0000);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(16), memory == 0 ? (ulong)length : memory);
        "RISCV"u8.CopyTo(file.AsSpan(48));
        "RSC\u0005"u8.CopyTo(file.AsSpan(56));
        return file;
    }

    public static byte[] Elf(ulong entry, params (ulong Address, byte[] Bytes, int Memory)[] segments)
    {
        const int Header = 64, ProgramHeader = 56;
        var file = new byte[Header + ProgramHeader * segments.Length + segments.Sum(s => s.Bytes.Length)];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 243);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(24), entry);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), Header);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(52), Header);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), ProgramHeader);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), (ushort)segments.Length);
        var offset = Header + ProgramHeader * segments.Length;
        for (var i = 0; i < segments.Length; i++)
        {
            var header = file.AsSpan(Header + i * ProgramHeader);
            BinaryPrimitives.WriteUInt32LittleEndian(header, 1);
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], 7);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(header[16..], segments[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(header[24..], segments[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(header[32..], (ulong)segments[i].Bytes.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(header[40..], (ulong)segments[i].Memory);
            segments[i].Bytes.CopyTo(file, offset);
            offset += segments[i].Bytes.Length;
        }

        return file;
    }
}
