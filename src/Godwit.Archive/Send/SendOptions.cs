using Godwit.Migration.Control;

namespace Godwit.Archive.Send;

public sealed record SendOptions
{
    /// <summary>Open a return path, and wait until the destination says that it has the guest.</summary>
    public bool ReturnPath { get; init; }

    /// <summary>Pages go over channels of their own, as these say (of <see cref="Parameters.ZeroPageDetection"/>, whether zero pages go along or over the main channel);
    /// null: capability multifd is off at the destination.</summary>
    public Parameters? Multifd { get; init; }

    /// <summary>Bytes of a target page, for a file that doesn't say it and whose pages don't show it.</summary>
    public int? PageSize { get; init; }
}
