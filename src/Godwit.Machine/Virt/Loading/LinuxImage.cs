using System.Buffers.Binary;

namespace Godwit.Machine.Virt.Loading;

/// <summary>The header of a Linux Image, and the forms of kernels that this machine can't start.
/// Source: Linux Documentation/arch/riscv/boot-image-header.rst, Documentation/arch/arm64/booting.rst, Documentation/arch/x86/boot.rst.</summary>
internal static class LinuxImage
{
    private const int MagicOffset = 56, SizeOffset = 16, FlagsOffset = 24, HeaderLength = 64;

    /// <summary>Bytes of memory that the kernel takes from where it is loaded; 0 when the file has no RISC-V Image header.</summary>
    public static ulong MemorySize(ReadOnlySpan<byte> file) =>
        IsRiscv(file) ? BinaryPrimitives.ReadUInt64LittleEndian(file[SizeOffset..]) : 0;

    /// <exception cref="LoadException">The file is one of those that would only hang.</exception>
    public static void RefuseForeign(string what, ReadOnlySpan<byte> file)
    {
        if (file.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
            throw new LoadException($"{what} is gzip-compressed, and the board's loader takes it as it is: unpack it with gunzip");
        if (file.Length > 8 && file.StartsWith("MZ"u8) && file[4..].StartsWith("zimg"u8))
            throw new LoadException($"{what} is a compressed EFI program (zboot), which needs UEFI firmware: give the Image it was made from");
        if (file.StartsWith((ReadOnlySpan<byte>)[0x27, 0x05, 0x19, 0x56]))
            throw new LoadException($"{what} is a U-Boot image (uImage), which is not supported: give the Image it was made from");
        if (file.Length > 0x206 && file[0x202..].StartsWith("HdrS"u8))
            throw new LoadException($"{what} is an x86 kernel (bzImage): the machine is a 64-bit RISC-V");
        if (file.Length >= HeaderLength && file[MagicOffset..].StartsWith("ARM\u0064"u8))
            throw new LoadException($"{what} is an AArch64 kernel: the machine is a 64-bit RISC-V");
        if (IsRiscv(file) && (file[FlagsOffset] & 1) != 0)
            throw new LoadException($"{what} is a big-endian RISC-V kernel: the machine is little-endian");
    }

    private static bool IsRiscv(ReadOnlySpan<byte> file) => file.Length >= HeaderLength && file[MagicOffset..].StartsWith("RSC\u0005"u8);
}
