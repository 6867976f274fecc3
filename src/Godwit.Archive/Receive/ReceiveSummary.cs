namespace Godwit.Archive.Receive;

/// <summary>How the end of a received stream was settled, from the surest on.</summary>
public enum EndProof
{
    /// <summary>The description at the end accounts for every byte of the devices.</summary>
    Description,

    /// <summary>There is no description; the sections' footers lead to an EOF, and nothing came after it.</summary>
    Footers,

    /// <summary>Neither description nor footers: the source closed the connection.</summary>
    Closed,
}

/// <param name="MachineName">The source's machine type; empty where the stream has no configuration.</param>
/// <param name="BytesReceived">Bytes that came, over all channels.</param>
/// <param name="MultifdChannels">Channels that pages came over, beside the main one.</param>
/// <param name="FileLength">Bytes of the file.</param>
/// <param name="StoredPages">Pages in the file with their bytes.</param>
/// <param name="RewrittenPages">Pages that came again, in later rounds.</param>
/// <param name="PageSize">Bytes of a target page.</param>
/// <param name="ReturnPath">Whether the source was told that the migration is complete.</param>
public sealed record ReceiveSummary(
    string MachineName,
    long BytesReceived,
    int MultifdChannels,
    long FileLength,
    long StoredPages,
    long ZeroPages,
    long RewrittenPages,
    int PageSize,
    EndProof Proof,
    bool ReturnPath,
    TimeSpan Elapsed);
