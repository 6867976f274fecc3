using Godwit.Migration.Channels;
using Godwit.Migration.Destination;

namespace Godwit.Archive.Receive;

public sealed record ReceiveOptions
{
    /// <summary>How guest memory stands in the file.</summary>
    public StreamFormat Format { get; init; }

    /// <summary>When to tell the source that it may switch over.</summary>
    public SwitchoverAckMode SwitchoverAck { get; init; }

    /// <summary>Tell the source that the migration is complete only when the file is on the disk.</summary>
    public bool Sync { get; init; }

    /// <summary>Bytes of a target page, for a stream that doesn't say it and whose first pages don't show it.</summary>
    public int? PageSize { get; init; }

    /// <summary>How many multifd channels there must be; null: as many as the source has, which may be none.</summary>
    public int? MultifdChannels { get; init; }

    /// <summary>Makes of a connection the channel to read from, before anything is read; null is nobody's. Without it, it is the connection.</summary>
    public Func<Channel, Channel?>? Upgrade { get; init; }
}
