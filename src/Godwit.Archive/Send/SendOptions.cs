using Godwit.Migration.Control;

namespace Godwit.Archive.Send;

public sealed record SendOptions
{
    /// <summary>Open a return path, and wait until the destination says that it has the guest.</summary>
    public bool ReturnPath { get; init; }

    /// <summary>Channels for pages beside the main one, as many as the destination's multifd-channels says; 0: capability multifd is off there.</summary>
    public int MultifdChannels { get; init; }

    public MultifdCompression Compression { get; init; }

    /// <summary>1 to 9, of zlib (QEMU: multifd-zlib-level); 1 to 20, of zstd (multifd-zstd-level).</summary>
    public int CompressionLevel { get; init; } = 1;

    /// <summary>Send zero pages over the main channel, for a destination before QEMU 9.0 (zero-page-detection: legacy).</summary>
    public bool LegacyZeroPages { get; init; }

    /// <summary>Have the channels meet at the end of each section, for a machine type of QEMU 8.0 or older (multifd-flush-after-each-section).</summary>
    public bool FlushAfterEachSection { get; init; }

    /// <summary>Bytes of a target page, for a file that doesn't say it and whose pages don't show it.</summary>
    public int? PageSize { get; init; }
}
