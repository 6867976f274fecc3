using System.Runtime.InteropServices;

namespace Godwit.Linux.Compression;

/// <summary>libzstd's streaming functions (zstd.h).</summary>
internal static unsafe partial class Zstd
{
    public const int Continue = 0, Flush = 1;
    private const string Library = "libzstd.so.1";

    /// <returns>The result, which is no error.</returns>
    /// <exception cref="InvalidDataException">It is one.</exception>
    public static nuint Check(nuint result) => ZSTD_isError(result) == 0
        ? result
        : throw new InvalidDataException($"zstd: {Marshal.PtrToStringUTF8(ZSTD_getErrorName(result))}");

    [LibraryImport(Library)]
    public static partial nint ZSTD_createCStream();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_freeCStream(nint stream);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_initCStream(nint stream, int level);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_compressStream2(nint stream, Buffer* output, Buffer* input, int directive);

    [LibraryImport(Library)]
    public static partial nint ZSTD_createDStream();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_freeDStream(nint stream);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_initDStream(nint stream);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_decompressStream(nint stream, Buffer* output, Buffer* input);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint result);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint result);

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer.</summary>
    public struct Buffer
    {
        public byte* Address;
        public nuint Size;
        public nuint Position;
    }
}
