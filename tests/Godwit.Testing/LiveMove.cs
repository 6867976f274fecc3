using System.Text.Json;
using Godwit.Monitor;

namespace Godwit.Testing;

/// <summary>How a guest goes from one machine to another.</summary>
/// <param name="To">The destination, as <see cref="MachineCommand.Named"/> has it.</param>
/// <param name="Transport"><c>unix</c>, <c>tcp</c>, <c>exec</c> (commands that write and read a file) <c>file</c>, <c>file-offset</c> (the stream doesn't begin at the start of the file) or <c>fdset</c> (a file that both are given open).</param>
/// <param name="Capabilities">Switched on at both ends, separated by commas.</param>
public sealed record LiveMove(string To, string Transport = "unix", string Capabilities = "")
{
    /// <summary>Set at both ends, as <c>NAME=VALUE</c> separated by commas; at the source they come before what <see cref="Rounds"/> sets.</summary>
    public string Parameters { get; init; } = "";

    /// <summary>The run state that the guest is in and must be in afterwards.</summary>
    public string RunState { get; init; } = "running";

    /// <summary>So little bandwidth at first that the guest rewrites what was sent: memory is gone through again.</summary>
    public bool Rounds { get; init; }

    /// <summary>With <see cref="Rounds"/>: whether there were enough of them, by a <c>query-migrate</c> of the source.</summary>
    public Func<JsonElement, bool> Enough { get; init; } = i => i.TryGetProperty("ram", out var ram) && ram.GetProperty("dirty-sync-count").GetInt64() >= 3;

    /// <summary>Called with the source's last <c>query-migrate</c>.</summary>
    public Action<JsonElement>? Completed { get; init; }

    /// <summary>Called when the guest runs at the destination and its pages still come, in place of waiting for the end.</summary>
    public Func<QemuProcess, Task>? Arriving { get; init; }

    /// <summary>Called for each end before anything is set; true: it is the source.</summary>
    public Func<QemuProcess, bool, Task>? Prepare { get; init; }

    /// <summary>Switched on at the destination alone, separated by commas.</summary>
    public string ThereOnly { get; init; } = "";

    /// <summary>Switched on at the source alone, separated by commas.</summary>
    public string HereOnly { get; init; } = "";

    /// <summary>The destination's, besides those that every machine of the guest gets.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>The stream is whole before the destination reads it.</summary>
    public bool AtRest => Transport is "exec" or "file" or "file-offset" or "fdset";

    public string[] CapabilityNames => Names(Capabilities);

    /// <param name="source">Or the destination.</param>
    public string[] CapabilitiesAt(bool source) => [.. CapabilityNames, .. Names(source ? HereOnly : ThereOnly)];

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);
}
