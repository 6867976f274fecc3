using System.Globalization;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

public enum SwitchoverAckMode
{
    /// <summary>As the source's machine type and behaviour call for.</summary>
    Auto,

    /// <summary>As soon as the return path is open.</summary>
    On,

    Off,
}

/// <summary>
/// Decides when to tell the source that it may switch over. With capability switchover-ack on, a source of machine type 11.0 or older
/// waits for one SWITCHOVER_ACK and ignores one it doesn't wait for; from 11.1 on it expects exactly as many as its devices asked for
/// and fails for one too many; QEMU before 8.1 doesn't know the message. Nothing in the stream says whether the capability is on, and
/// a machine type without a version doesn't tell the age of its QEMU. Such a source gets the message when it behaves like one that
/// waits: it sends round after round of next to nothing, still when one that doesn't wait has measured its bandwidth. Source: QEMU migration/migration.c, migration_can_switchover.
/// </summary>
internal sealed class SwitchoverAck
{
    private const int FewPages = 256;
    private const int RoundsOfNothing = 100;

    /// <summary>From the first such round on. A source that waits for nothing has measured its bandwidth by then, and switches over; until it has, it goes round after round, too.</summary>
    private static readonly TimeSpan TimeOfNothing = TimeSpan.FromSeconds(1);

    private static readonly Version FirstThatKnows = new(8, 1);
    private static readonly Version FirstThatCounts = new(11, 1);

    private readonly SwitchoverAckMode _mode;
    private readonly int _approvers;
    private bool _sent;
    private int _approved;
    private int _pages;
    private bool _wrapped;
    private (int Block, ulong Offset) _last;
    private readonly TimeProvider _time;
    private int _rounds;
    private long? _begun;

    /// <param name="approvers">Sections that will approve; with any, it is they who decide.</param>
    public SwitchoverAck(SwitchoverAckMode mode, int approvers = 0, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _mode = mode;
        _approvers = approvers;
    }

    /// <summary>Whether to send it, now that the return path opens.</summary>
    public bool AtOpen(string? machineName)
    {
        return Send(_mode switch
        {
            SwitchoverAckMode.On => true,
            SwitchoverAckMode.Off => false,
            _ => _approvers == 0 && WaitsForOne(machineName),
        });
    }

    /// <summary>Whether to send it, now that a section approves: to a source that counts, each; to one that waits for one, when all have.</summary>
    public bool Approve(string? machineName)
    {
        _approved++;
        return !WaitsForOne(machineName) || _approved == _approvers;
    }

    /// <summary>Whether to send it, now that the source has sent this.</summary>
    public bool After(in StreamElement element, string? machineName)
    {
        if (_sent || _approvers > 0 || _mode != SwitchoverAckMode.Auto)
            return false;
        if (element.Kind == StreamElementKind.RamPage)
        {
            var at = (element.Block!.Index, element.PageOffset);
            _wrapped |= _last.CompareTo(at) >= 0;
            _last = at;
            _pages++;
            return false;
        }

        if (element.Kind != StreamElementKind.RamControl || !element.Flags.HasFlag(RamFlags.Eos))
            return false;
        if (_pages >= FewPages)
            _rounds = 0;
        else if (_pages == 0 || _wrapped)
            _rounds++;
        if (_rounds > 0)
            _begun ??= _time.GetTimestamp();
        _pages = 0;
        _wrapped = false;
        return Send(_rounds >= RoundsOfNothing && _time.GetElapsedTime(_begun!.Value) >= TimeOfNothing && !(VersionOf(machineName) >= FirstThatCounts));
    }

    private static bool WaitsForOne(string? machineName) => VersionOf(machineName) is { } version && version >= FirstThatKnows && version < FirstThatCounts;

    private bool Send(bool now)
    {
        _sent |= now;
        return now;
    }

    /// <summary>The version that a machine type ends in, such as 10.0 of <c>pc-q35-10.0</c>.</summary>
    private static Version? VersionOf(string? machineName)
    {
        var parts = machineName?[(machineName.LastIndexOf('-') + 1)..].Split('.');
        return parts is [var major, var minor, ..]
            && int.TryParse(major, NumberStyles.None, CultureInfo.InvariantCulture, out var a)
            && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var b)
            ? new Version(a, b)
            : null;
    }
}
