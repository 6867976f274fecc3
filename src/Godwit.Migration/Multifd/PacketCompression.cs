using Godwit.Linux.Compression;
using Godwit.Migration.Control;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>What the parameters want of a source's packets.</summary>
public static class PacketCompression
{
    /// <param name="pageSize">Bytes.</param>
    /// <returns>Null and no flag: pages go as they are.</returns>
    public static (PacketCompressor? Compressor, MultifdFlags Flag) Create(Parameters parameters, int pageSize) => parameters.MultifdCompression switch
    {
        MultifdCompression.Zlib => (new ZlibPacketCompressor(parameters.MultifdZlibLevel, pageSize), MultifdFlags.Zlib),
        MultifdCompression.Zstd => (new ZstdPacketCompressor(parameters.MultifdZstdLevel), MultifdFlags.Zstd),
        _ => (null, MultifdFlags.None),
    };
}
