using System.Buffers.Binary;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>A live section of blocks that are dirtied anew while they are sent. A body is 1, index, block; 2 once, when every block was sent the first time; 0 at the
/// end.</summary>
internal sealed class LiveBlocks : ILiveSection
{
    private readonly List<string> _calls = [];
    private readonly byte[][] _blocks;
    private readonly HashSet<int> _dirty = [];
    private bool _acks;
    private bool _asked;
    private bool _toldInitial;
    private int _loading = -1;
    private int _filled;

    public LiveBlocks(string name, int blocks, int size, bool empty = false)
    {
        IdStr = name;
        _blocks = [.. Enumerable.Range(0, blocks).Select(_ => new byte[size])];
        if (empty)
            return;
        for (var i = 0; i < blocks; i++)
            Change(i);
    }

    public string IdStr { get; set; }

    public uint InstanceId { get; init; }

    public uint Version { get; init; } = 2;

    public uint MinimumVersion { get; init; } = 2;

    public bool IsNeeded { get; init; } = true;

    public bool NeedsSwitchoverAck { get; init; }

    /// <summary>How often blocks are changed again before the guest stops.</summary>
    public int ChangesLeft { get; set; }

    /// <summary>Called with the name of each method, before it does anything.</summary>
    public Action<string>? On { get; set; }

    /// <summary>Names of methods, repetitions left out.</summary>
    public string Calls
    {
        get
        {
            lock (_calls)
                return string.Join(' ', _calls);
        }
    }

    public byte[] Content => [.. _blocks.SelectMany(b => b)];

    /// <summary>Asks for one more approval at the next query.</summary>
    public void AskAgain() => _asked = false;

    public void SaveSetup(ILiveOutput output)
    {
        Note("setup");
        _acks = output.UsesSwitchoverAck;
        var header = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(header, _blocks.Length);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), _blocks[0].Length);
        output.Write(header);
    }

    public LivePending Pending(bool exact)
    {
        Note(exact ? "exact" : "estimate");
        if (exact && ChangesLeft > 0)
        {
            for (var i = ChangesLeft--; i < _blocks.Length; i += 3)
                Change(i);
        }

        var asks = NeedsSwitchoverAck && !_asked;
        _asked |= asks;
        return new LivePending((long)_dirty.Count * _blocks[0].Length, asks);
    }

    public void Iterate(ILiveOutput output)
    {
        Note("iterate");
        while (_dirty.Count > 0 && output.Left > 0)
            Put(output, _dirty.Min());
        if (NeedsSwitchoverAck && _acks && _dirty.Count == 0 && !_toldInitial)
        {
            _toldInitial = true;
            output.Write([2]);
        }

        output.Write([0]);
    }

    public void Complete(ILiveOutput output)
    {
        Note("complete");
        while (_dirty.Count > 0)
            Put(output, _dirty.Min());
        output.Write([0]);
    }

    public void SaveCleanup() => Note("cleanup");

    public void LoadSetup(bool switchoverAck) => Note("load setup");

    public LiveProgress Load(SectionType part, ReadOnlySpan<byte> body, uint version, long offset)
    {
        Note("load " + part);
        if (part == SectionType.Start)
            return LoadStart(body, offset);
        var taken = 0;
        while (taken < body.Length)
        {
            if (_loading >= 0)
            {
                taken += Fill(body[taken..]);
                continue;
            }

            switch (body[taken])
            {
                case 0:
                    return new LiveProgress(taken + 1, true);
                case 1 when body.Length - taken < 5:
                    return new LiveProgress(taken, false);
                case 1:
                    _loading = BinaryPrimitives.ReadInt32BigEndian(body[(taken + 1)..]);
                    if ((uint)_loading >= _blocks.Length)
                        throw new MigrationStreamException(offset + taken + 1, IdStr, "index", "there is no such block");
                    taken += 5;
                    break;
                case 2:
                    Note("approve");
                    return new LiveProgress(taken + 1, false, ApprovesSwitchover: true);
                default:
                    throw new MigrationStreamException(offset + taken, IdStr, "tag", $"{body[taken]} is none");
            }
        }

        return new LiveProgress(taken, false);
    }

    public void SwitchoverStart() => Note("switchover");

    public void LoadCleanup() => Note("load cleanup");

    private LiveProgress LoadStart(ReadOnlySpan<byte> body, long offset)
    {
        if (body.Length < 8)
            return new LiveProgress(0, false);
        return BinaryPrimitives.ReadInt32BigEndian(body) == _blocks.Length && BinaryPrimitives.ReadInt32BigEndian(body[4..]) == _blocks[0].Length
            ? new LiveProgress(8, true)
            : throw new MigrationStreamException(offset, IdStr, "blocks", "not as many, or not as long");
    }

    /// <summary>A block may be longer than any buffer: it comes in pieces.</summary>
    private int Fill(ReadOnlySpan<byte> bytes)
    {
        var block = _blocks[_loading].AsSpan(_filled);
        var count = Math.Min(block.Length, bytes.Length);
        bytes[..count].CopyTo(block);
        _filled = count == block.Length ? 0 : _filled + count;
        if (_filled == 0)
            _loading = -1;
        return count;
    }

    private void Put(ILiveOutput output, int index)
    {
        var header = new byte[5];
        header[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(1), index);
        output.Write(header);
        output.Write(_blocks[index]);
        _dirty.Remove(index);
    }

    private void Change(int index)
    {
        new Random(ChangesLeft * 1000 + index).NextBytes(_blocks[index]);
        _dirty.Add(index);
    }

    private void Note(string call)
    {
        lock (_calls)
        {
            if (_calls.Count == 0 || _calls[^1] != call)
                _calls.Add(call);
        }

        On?.Invoke(call);
    }
}
