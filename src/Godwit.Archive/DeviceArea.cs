using System.Buffers.Binary;
using Godwit.Wire;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Archive;

/// <summary>
/// The part of a stream after guest memory: the devices, EOF, the description. A device's bytes can look like anything, so what stands
/// there is settled from its end: a description whose devices, one after the other, fill exactly the bytes before it.
/// </summary>
public sealed class DeviceArea
{
    /// <summary>EOF, type, length, and the brace that opens the description.</summary>
    private const int PatternLength = 1 + 1 + 4 + 1;

    /// <summary>Descriptions that are tried at most, and their bytes: a guest can put many beginnings of one into a device.</summary>
    private const int MaxCandidates = 4096;
    private const long MaxTried = 512 << 20;

    private readonly StreamFile _file;
    private readonly MigrationStreamReader _reader;
    private readonly int _devicesBefore;
    private readonly List<Candidate> _candidates = [];
    private long _searched;
    private long _tried;

    /// <param name="reader">Stands where the area begins, counting offsets within <paramref name="file"/>; it is forked, not moved.</param>
    /// <param name="devicesBefore">Sections of type FULL that came before the area.</param>
    public DeviceArea(StreamFile file, MigrationStreamReader reader, int devicesBefore)
    {
        _file = file;
        _reader = reader;
        _devicesBefore = devicesBefore;
        _searched = reader.Offset;
    }

    private sealed record Candidate(long EofOffset, int Length)
    {
        public long End => EofOffset + PatternLength - 1 + Length;
    }

    /// <summary>Looks through the bytes that have come since, for a description that proves the area.</summary>
    /// <param name="end">Bytes from the start of the file to the end of the stream.</param>
    public VmDescription? Find(out long end)
    {
        Search();
        // A guest can put the end of a stream into a device; the last one is the likely one.
        for (var i = _candidates.Count - 1; i >= 0; i--)
        {
            var candidate = _candidates[i];
            if (candidate.End > _file.Length)
                continue;
            _candidates.RemoveAt(i);
            if (Prove(candidate) is not { } description)
                continue;
            end = candidate.End;
            return description;
        }

        end = 0;
        return null;
    }

    /// <summary>Reads the area by footers alone, up to the end of the file.</summary>
    /// <returns>False where it doesn't end there.</returns>
    public bool EndsByFooters()
    {
        try
        {
            var reader = new StreamFileReader(_file, Fork());
            while (reader.TryNext(out _))
            {
            }

            return reader.Reader.AfterEof && reader.Reader.Offset == _file.Length;
        }
        catch (MigrationStreamException)
        {
            return false;
        }
    }

    /// <summary>A reader that stands where the area begins.</summary>
    public MigrationStreamReader Fork() => _reader.Fork(StreamReadMode.HeadersOnly, _reader.Offset);

    private void Search()
    {
        while (_file.Length - _searched >= PatternLength)
        {
            var window = _file.Window(_searched, PatternLength);
            if (window.Length < PatternLength)
                return;
            var at = window[..^(PatternLength - 2)].IndexOf([(byte)SectionType.Eof, (byte)SectionType.VmDescription]);
            if (at < 0)
            {
                _searched += window.Length - (PatternLength - 1);
                continue;
            }

            var length = BinaryPrimitives.ReadUInt32BigEndian(window[(at + 2)..]);
            if (window[at + PatternLength - 1] == (byte)'{' && length is > 1 and <= MigrationStreamReader.MaxDescriptionLength && _candidates.Count < MaxCandidates)
                _candidates.Add(new Candidate(_searched + at, (int)length));
            _searched += at + 1;
        }
    }

    private VmDescription? Prove(Candidate candidate)
    {
        Span<byte> last = stackalloc byte[1];
        if (_file.Read(candidate.End - 1, last) != 1 || last[0] != (byte)'}' || (_tried += candidate.Length) > MaxTried)
            return null;
        var json = new byte[candidate.Length];
        if (_file.Read(candidate.End - candidate.Length, json) != json.Length)
            return null;
        try
        {
            var description = VmDescription.Parse(json);
            var lengths = new DescriptionLengths(description, _file, _devicesBefore, _reader.HasFooters ?? true);
            var fork = Fork();
            fork.Lengths = lengths;
            var reader = new StreamFileReader(_file, fork);
            while (reader.TryNext(out var element))
            {
                if (element.Kind == StreamElementKind.Eof)
                    return element.Offset == candidate.EofOffset && lengths.IsExhausted ? description : null;
                if (element.Offset > candidate.EofOffset || lengths.Mismatch is not null)
                    return null;
            }
        }
        catch (Exception e) when (e is FormatException or MigrationStreamException)
        {
            // Bytes that only looked like the end.
        }

        return null;
    }
}
