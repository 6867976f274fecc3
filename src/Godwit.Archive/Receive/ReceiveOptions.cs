namespace Godwit.Archive.Receive;

public sealed record ReceiveOptions
{
    /// <summary>Tell the source at once that it may switch over; false for QEMU before 8.1, which doesn't know the message.</summary>
    public bool SwitchoverAck { get; init; } = true;

    /// <summary>Tell the source that the migration is complete only when the file is on the disk.</summary>
    public bool Sync { get; init; }

    /// <summary>Bytes of a target page, for a stream that doesn't say it and whose first pages don't show it.</summary>
    public int? PageSize { get; init; }
}
