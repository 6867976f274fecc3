using System.Text;

namespace Godwit.Wire.VmState;

/// <summary>Where a device is loaded from; gathers what is to be done once everything is there.</summary>
internal ref struct VmStateInput
{
    private readonly string _label;
    private readonly long _offset;
    private WireReader _reader;
    private string _prefix = "";
    private List<(int At, string Field, Action Run)>? _postLoads;

    public VmStateInput(ReadOnlySpan<byte> body, string label, long offset)
    {
        _reader = new WireReader(body);
        _label = label;
        _offset = offset;
    }

    public readonly int Position => _reader.Position;

    public bool TryBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        if (_reader.Remaining.Length >= count)
            return _reader.TryBytes(count, out bytes);
        bytes = default;
        return false;
    }

    /// <summary>Whether a subsection of the description <paramref name="parent"/> stands here, as QEMU finds out: by the first bytes of its
    /// name, since what stands here may as well be the next field.</summary>
    /// <param name="name">Null where none does.</param>
    /// <returns>False where the input ends before that can be told.</returns>
    public readonly bool TryPeekSubsection(string parent, out string? name)
    {
        name = null;
        var rest = _reader.Remaining;
        if (rest.IsEmpty)
            return false;
        if (rest[0] != VmStateOutput.SubsectionMark)
            return true;
        if (rest.Length < 2)
            return false;
        int length = rest[1];
        if (length <= parent.Length)
            return true;
        var came = rest.Slice(2, Math.Min(length, rest.Length - 2));
        var prefix = Encoding.ASCII.GetBytes(parent).AsSpan();
        var compared = Math.Min(came.Length, prefix.Length);
        if (!came[..compared].SequenceEqual(prefix[..compared]))
            return true;
        if (came.Length < length)
            return false;
        name = Encoding.ASCII.GetString(came);
        return true;
    }

    /// <summary>Takes what <see cref="TryPeekSubsection"/> saw.</summary>
    public bool TrySubsectionHeader(out uint version)
    {
        version = 0;
        return _reader.TryByte(out _) && _reader.TryCounted(out ReadOnlySpan<byte> _) && _reader.TryUInt32(out version);
    }

    /// <summary>Fields from here on are <paramref name="part"/>'s.</summary>
    /// <returns>What <see cref="Leave"/> wants.</returns>
    public string Enter(string part)
    {
        var before = _prefix;
        _prefix = $"{before}{part}.";
        return before;
    }

    public void Leave(string before) => _prefix = before;

    public void AddPostLoad(int at, string field, Action run) => (_postLoads ??= []).Add((at, field, run));

    /// <summary>In the order in which the parts were complete: inner ones before those around them.</summary>
    public readonly void RunPostLoads()
    {
        foreach (var (at, field, run) in _postLoads ?? [])
        {
            try
            {
                run();
            }
            catch (InvalidDataException e)
            {
                throw new MigrationStreamException(_offset + at, _label, field, e.Message);
            }
        }
    }

    public readonly MigrationStreamException Error(int at, string field, string reason) => new(_offset + at, _label, _prefix + field, reason);
}
