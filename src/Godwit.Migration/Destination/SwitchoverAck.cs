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
/// waits: it goes round after round, each so short that it could stop its guest for it, still when one that doesn't wait has measured its
/// bandwidth. Source: QEMU migration/migration.c, migration_can_switchover.
/// </summary>
internal sealed class SwitchoverAck
{
    /// <summary>A section of fewer pages may be a round of its own that goes on behind the last.</summary>
    private const int FewPages = 256;

    /// <summary>No short round, whatever its time: 16 MiB.</summary>
    private const int ManyPages = 4096;
    private const int ShortRounds = 100;

    /// <summary>For all of them; each takes a third of the default <c>downtime-limit</c> at most.</summary>
    private static readonly TimeSpan TimeOfShortRounds = TimeSpan.FromSeconds(10);

    /// <summary>From the first short round on. A source that waits for nothing has measured its bandwidth by then, and switches over; until it has, it goes round after round, too.</summary>
    private static readonly TimeSpan TimeToMeasure = TimeSpan.FromSeconds(2);

    private static readonly Version FirstThatKnows = new(8, 1);
    private static readonly Version FirstThatCounts = new(11, 1);

    private readonly SwitchoverAckMode _mode;
    private readonly int _approvers;
    private bool _sent;
    private int _approved;
    private int _pages;
    private bool _wrapped;
    private bool _flushed;
    private (int Block, ulong Offset) _last;
    private readonly TimeProvider _time;
    private readonly Queue<long> _rounds = new(ShortRounds + 1);
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
    /// <param name="multifd">Whether pages come over channels of their own. What is a round is told by MULTIFD_FLUSH then; where that doesn't come (before QEMU 8.1), by nothing.</param>
    public bool After(in StreamElement element, string? machineName, bool multifd)
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

        if (element.Kind != StreamElementKind.RamControl)
            return false;
        _flushed |= element.Flags.HasFlag(RamFlags.MultifdFlush);
        if (!element.Flags.HasFlag(RamFlags.Eos))
            return false;
        Note(isRound: multifd ? _flushed : _pages == 0 || _wrapped, isLong: multifd ? !_flushed : _pages >= (_wrapped ? ManyPages : FewPages));
        _pages = 0;
        _wrapped = _flushed = false;
        return Send(IsWaiting && !(VersionOf(machineName) >= FirstThatCounts));
    }

    private bool IsWaiting => _rounds.Count == ShortRounds && _time.GetElapsedTime(_rounds.Peek()) <= TimeOfShortRounds && _time.GetElapsedTime(_begun!.Value) >= TimeToMeasure;

    /// <summary>A section has ended.</summary>
    private void Note(bool isRound, bool isLong)
    {
        if (isLong)
            _rounds.Clear();
        else if (isRound)
        {
            var now = _time.GetTimestamp();
            _begun ??= now;
            if (_rounds.Count == ShortRounds)
                _rounds.Dequeue();
            _rounds.Enqueue(now);
        }
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
