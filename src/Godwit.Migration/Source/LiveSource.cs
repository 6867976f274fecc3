using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

/// <summary>The machine's live sections as one: START, PART and END of each, and what all have pending. Source of the order: QEMU migration/savevm.c.</summary>
internal sealed class LiveSource : ILiveOutput
{
    private readonly StreamOutput _output;
    private readonly ILiveSection[] _sections;
    private readonly uint _firstId;
    private readonly Action _throwIfBroken;
    private long _limit = long.MaxValue;
    private int _begun;

    /// <param name="firstId">The first section's; the others' follow.</param>
    /// <param name="throwIfBroken">Asked with every write.</param>
    public LiveSource(IEnumerable<ILiveSection> sections, StreamOutput output, uint firstId, bool switchoverAck, Action throwIfBroken)
    {
        _sections = [.. sections.Where(s => s.IsNeeded)];
        _output = output;
        _firstId = firstId;
        _throwIfBroken = throwIfBroken;
        UsesSwitchoverAck = switchoverAck;
    }

    public bool UsesSwitchoverAck { get; }

    public long Left => _limit == long.MaxValue ? long.MaxValue : Math.Max(_limit - _output.Position, 0);

    /// <summary>The first id that no live section has.</summary>
    public uint NextId => _firstId + (uint)_sections.Length;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _throwIfBroken();
        _output.Put(bytes);
    }

    /// <summary>START of each.</summary>
    public void Setup()
    {
        foreach (var section in _sections)
        {
            _begun++;
            Put(SectionType.Start, section, static (s, o) => s.SaveSetup(o));
        }
    }

    /// <param name="acks">Approvals of the switchover that are asked for, besides those asked for before.</param>
    /// <returns>Bytes.</returns>
    public long Pending(bool exact, out int acks)
    {
        var bytes = 0L;
        acks = 0;
        foreach (var section in _sections)
        {
            var pending = section.Pending(exact);
            bytes += pending.Bytes;
            if (pending.WantsSwitchoverAck && UsesSwitchoverAck)
                acks++;
        }

        return bytes;
    }

    /// <summary>A PART of each, as long as the limit isn't reached.</summary>
    /// <param name="limit">Position in the stream.</param>
    public void Iterate(long limit)
    {
        _limit = limit;
        foreach (var section in _sections)
        {
            if (_output.Position >= limit)
                return;
            Put(SectionType.Part, section, static (s, o) => s.Iterate(o));
        }
    }

    /// <summary>END of each.</summary>
    public void Complete()
    {
        _limit = long.MaxValue;
        foreach (var section in _sections)
            Put(SectionType.End, section, static (s, o) => s.Complete(o));
    }

    /// <returns>What went wrong, if anything: every section is given its chance.</returns>
    public Exception? Cleanup()
    {
        Exception? failure = null;
        foreach (var section in _sections.AsSpan(0, _begun))
        {
            try
            {
                section.SaveCleanup();
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }

        _begun = 0;
        return failure;
    }

    private void Put(SectionType type, ILiveSection section, Action<ILiveSection, ILiveOutput> body)
    {
        var header = new SectionHeader(type, _firstId + (uint)Array.IndexOf(_sections, section), section.IdStr, section.InstanceId, section.Version);
        var writer = _output.Writer(SectionHeader.MaxLength);
        header.Write(ref writer);
        _output.Put(writer);
        try
        {
            body(section, this);
        }
        catch (Exception e) when (e is not (OperationCanceledException or IOException))
        {
            throw new InvalidOperationException($"section '{header.Label}' failed to be saved: {e.Message}", e);
        }

        writer = _output.Writer(SectionHeader.FooterLength);
        header.WriteFooter(ref writer);
        _output.Put(writer);
    }
}
