using System.Runtime.InteropServices;

namespace Godwit.Linux.Compression;

/// <summary>zlib's streaming functions (zlib.h).</summary>
internal static unsafe partial class Zlib
{
    public const int NoFlush = 0, SyncFlush = 2;
    public const int Ok = 0, BufferError = -5;
    private const string Library = "libz.so.1";

    public static State* Allocate() => (State*)NativeMemory.AllocZeroed((nuint)sizeof(State));

    public static int DeflateInit(State* state, int level) => deflateInit_(state, level, "1", sizeof(State));

    public static int InflateInit(State* state) => inflateInit_(state, "1", sizeof(State));

    public static string Message(State* state, int result) =>
        $"zlib: {(state->Message == null ? $"error {result}" : Marshal.PtrToStringUTF8((nint)state->Message))}";

    [LibraryImport(Library)]
    public static partial int deflate(State* state, int flush);

    [LibraryImport(Library)]
    public static partial int deflateEnd(State* state);

    [LibraryImport(Library)]
    public static partial int inflate(State* state, int flush);

    [LibraryImport(Library)]
    public static partial int inflateEnd(State* state);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int deflateInit_(State* state, int level, string version, int size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inflateInit_(State* state, string version, int size);

    // The library fills in the rest.
#pragma warning disable CS0649
    /// <summary>z_stream.</summary>
    public struct State
    {
        public byte* NextIn;
        public uint AvailableIn;
        public nuint TotalIn;
        public byte* NextOut;
        public uint AvailableOut;
        public nuint TotalOut;
        public byte* Message;
        public nint Internal;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
        public int DataType;
        public nuint Adler;
        public nuint Reserved;
    }
#pragma warning restore CS0649
}
