using Godwit.Wire.Ram;

namespace Godwit.Wire.Stream;

/// <summary>
/// Takes a migration stream apart, one element a call, off whatever buffer the caller has. The same bytes give the same elements
/// however they are split over buffers, but for raw bytes, which come in pieces as large as the buffer allows.
/// <code>
/// header configuration? { command | section footer? } EOF { description }?
/// </code>
/// </summary>
public sealed partial class MigrationStreamReader
{
    /// <summary>A buffer that holds any one element: a compressed page of 64 KiB, a command with the longest payload, a configuration.</summary>
    public const int MaxElementLength = (128 << 10) + RamItem.MaxHeaderLength + 16;

    /// <summary>The longest description that is believed; the largest seen in the field is some hundred KiB.</summary>
    public const int MaxDescriptionLength = 8 << 20;

    /// <summary>Sections that a stream may have; QEMU's ids go up by one a device.</summary>
    private const int MaxSections = 1 << 14;

    private readonly StreamReadMode _mode;
    // Keys are ids taken as int: of this kind of dictionary the runtime brings compiled code, which a short run feels.
    private readonly Dictionary<int, SectionHeader> _sections;
    private State _state = State.Header;
    private SectionHeader? _section;
    private long _left;
    private bool _sized;
    private uint? _ramId;

    public MigrationStreamReader(StreamReadMode mode = StreamReadMode.Whole)
    {
        _mode = mode;
        _sections = [];
    }

    private MigrationStreamReader(MigrationStreamReader other, StreamReadMode mode, long offset)
    {
        _mode = mode;
        _sections = new(other._sections);
        _state = other._state;
        _section = other._section;
        _left = other._left;
        _sized = other._sized;
        _ramId = other._ramId;
        Offset = offset;
        Configuration = other.Configuration;
        HasFooters = other.HasFooters;
        PostcopyAdvice = other.PostcopyAdvice;
        PageBits = other.PageBits;
        _blocks.AddRange(other._blocks);
        _lastBlock = other._lastBlock;
        _blocksListed = other._blocksListed;
        _mappedLeft = other._mappedLeft;
        FileOffset = other.FileOffset;
    }

    private enum State
    {
        Header,
        AfterHeader,
        Body,
        RamBlocks,
        MappedRam,
        Ram,
        Opaque,
        Footer,
        Packaged,
        AfterEof,
        Description,
        End,
    }

    /// <summary>Bytes from the start of the stream to the next element.</summary>
    public long Offset { get; private set; }

    /// <summary>The configuration, once it was read; null before, and in a stream that has none.</summary>
    public ConfigurationSection? Configuration { get; private set; }

    /// <summary>The section being read, or read last.</summary>
    public SectionHeader? Section => _section;

    /// <summary>Whether sections end in a footer; null until the first section that shows it.</summary>
    public bool? HasFooters { get; private set; }

    /// <summary>What POSTCOPY_ADVISE said of RAM, if it came.</summary>
    public PostcopyAdvise? PostcopyAdvice { get; private set; }

    /// <summary>Knows the length of sections; without it they are delimited by their footers.</summary>
    public ISectionLengths? Lengths { get; set; }

    /// <summary>True where the end of the section being read is known by its length, not found by its footer.</summary>
    public bool SectionIsSized => _sized;

    /// <summary>True between sections: the next element is a section, a command or the end.</summary>
    public bool AtBoundary => _state == State.Body || (_state == State.Footer && HasFooters == false);

    /// <summary>True once EOF was read: what may follow is a description.</summary>
    public bool AfterEof => _state is State.AfterEof or State.Description or State.End;

    /// <summary>Bytes of the description's JSON, once its header was read.</summary>
    public uint DescriptionLength { get; private set; }

    /// <summary>True after the last byte of the description.</summary>
    public bool AtEnd => _state == State.End;

    /// <summary>A reader that goes on from the same point of the stream on its own.</summary>
    /// <param name="offset">What it counts that point as, in bytes: the same bytes may stand elsewhere in another file.</param>
    public MigrationStreamReader Fork(StreamReadMode mode, long offset) => new(this, mode, offset);

    /// <summary>Steps over the body of the section whose header was read last, for a caller that has loaded it and so knows its length.</summary>
    /// <param name="length">Bytes from <see cref="Offset"/> on.</param>
    /// <param name="ended">Whether the footer is next; false: more of the body.</param>
    public void SkipBody(long length, bool ended = true)
    {
        if (_state != State.Opaque)
            throw new InvalidOperationException("no section's body stands here");
        Offset += length;
        if (ended)
            _state = State.Footer;
    }

    /// <summary>Reads the element at the front of <paramref name="buffer"/>.</summary>
    /// <param name="final">True where no byte will ever follow the buffer.</param>
    /// <param name="needed">Bytes that the buffer must at least hold for the next try, where the result is false.</param>
    /// <returns>False where the buffer holds no whole element, or where the stream has ended.</returns>
    /// <exception cref="MigrationStreamException">The stream is malformed, or ends where it must not.</exception>
    public bool Read(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        if (TryRead(buffer, final, out element, out needed))
        {
            Offset += element.Length;
            return true;
        }

        if (final && !(buffer.IsEmpty && _state is State.AfterEof or State.End))
        {
            throw new MigrationStreamException(
                Offset + buffer.Length,
                Label,
                Expected,
                buffer.IsEmpty ? "the stream ends here" : $"the stream ends here, in an element that began at byte {Offset} and has at least {needed} bytes");
        }

        return false;
    }

    private string Label => _state switch
    {
        State.Header or State.AfterHeader or State.Body or State.AfterEof or State.End => "stream",
        State.Packaged => "command",
        State.Description => "description",
        _ => _section?.Label ?? "stream",
    };

    private string Expected => _state switch
    {
        State.Header => "magic",
        State.AfterHeader => "configuration",
        State.Body => "section type",
        State.RamBlocks => "block list",
        State.MappedRam => "mapped-ram pages",
        State.Ram => "page",
        State.Opaque => "body",
        State.Footer => "footer",
        State.Packaged => "PACKAGED",
        State.Description => "JSON",
        _ => "end",
    };

    private bool TryRead(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        while (true)
        {
            switch (_state)
            {
                case State.Ram:
                    return ReadRamItem(buffer, final, out element, out needed);
                case State.MappedRam when _mappedLeft == 0:
                    _state = State.RamBlocks;
                    break;
                case State.MappedRam:
                    return Raw(StreamElementKind.MappedRamData, ref _mappedLeft, buffer, out element, out needed);
                case State.RamBlocks when _left > 0:
                    return ReadRamBlock(buffer, out element, out needed);
                case State.RamBlocks:
                    _blocksListed = true;
                    _state = State.Ram;
                    break;
                case State.Header:
                    return ReadHeader(buffer, out element, out needed);
                case State.AfterHeader:
                    if (!buffer.IsEmpty && buffer[0] == (byte)SectionType.Configuration)
                        return ReadConfiguration(buffer, final, out element, out needed);
                    if (buffer.IsEmpty)
                        return More(1, out element, out needed);
                    _state = State.Body;
                    break;
                case State.Body:
                    return ReadBody(buffer, out element, out needed);
                case State.Opaque:
                    if (ReadOpaque(buffer, final, out element, out needed))
                        return true;
                    if (needed > 0)
                        return false;
                    break;
                case State.Footer:
                    if (ReadFooter(buffer, final, out element, out needed))
                        return true;
                    if (needed > 0)
                        return false;
                    break;
                case State.Packaged when _left == 0:
                    _state = State.Body;
                    break;
                case State.Packaged:
                    return Raw(StreamElementKind.PackagedData, ref _left, buffer, out element, out needed);
                case State.Description when _left == 0:
                    _state = State.End;
                    break;
                case State.Description:
                    return Raw(StreamElementKind.VmDescriptionData, ref _left, buffer, out element, out needed);
                default:
                    return ReadAfterEof(buffer, out element, out needed);
            }
        }
    }

    private bool ReadHeader(ReadOnlySpan<byte> buffer, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        if (!StreamHeader.TryRead(ref reader, Offset))
            return More(reader.Needed, out element, out needed);
        _state = State.AfterHeader;
        return Done(StreamElementKind.Header, reader.Position, out element, out needed);
    }

    private bool ReadConfiguration(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        reader.TryByte(out _);
        if (!ConfigurationSection.TryRead(ref reader, Offset, final, out var configuration))
            return More(reader.Needed, out element, out needed);
        Configuration = configuration;
        PageBits = configuration.TargetPageBits ?? PageBits;
        _state = State.Body;
        return Done(StreamElementKind.Configuration, reader.Position, out element, out needed);
    }

    private bool ReadBody(ReadOnlySpan<byte> buffer, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        if (!reader.TryByte(out var type))
            return More(reader.Needed, out element, out needed);
        switch ((SectionType)type)
        {
            case SectionType.Start or SectionType.Full:
                if (!SectionHeader.TryReadNamed(ref reader, (SectionType)type, Offset, out var named))
                    return More(reader.Needed, out element, out needed);
                if (_sections.Count == MaxSections)
                    throw new MigrationStreamException(Offset, named.Label, "section id", $"more than {MaxSections} sections");
                if (!_sections.TryAdd((int)named.Id, named))
                    throw new MigrationStreamException(Offset + 1, named.Label, "section id", $"id {named.Id} is that of section '{_sections[(int)named.Id].Label}' already");
                return EnterSection(named, reader.Position, out element, out needed);
            case SectionType.Part or SectionType.End:
                if (!reader.TryUInt32(out var id))
                    return More(reader.Needed, out element, out needed);
                if (!_sections.TryGetValue((int)id, out var known) || known.Type != SectionType.Start)
                    throw new MigrationStreamException(Offset + 1, $"#{id}", "section id", $"no section START had id {id}");
                return EnterSection(known with { Type = (SectionType)type }, reader.Position, out element, out needed);
            case SectionType.Command:
                return ReadCommand(ref reader, out element, out needed);
            case SectionType.Eof:
                _state = State.AfterEof;
                return Done(StreamElementKind.Eof, 1, out element, out needed);
            default:
                throw new MigrationStreamException(Offset, "stream", "section type", $"0x{type:x2} is no section type that can stand here");
        }
    }

    private bool EnterSection(SectionHeader section, int length, out StreamElement element, out int needed)
    {
        _section = section;
        _sized = false;
        if (section.IsRam)
        {
            if (section.Type == SectionType.Full)
                throw new MigrationStreamException(Offset, section.Label, "section type", "guest memory is a live section, not a device");
            if (section.Type == SectionType.Start && _ramId is not null)
                throw new MigrationStreamException(Offset + 1, section.Label, "section id", $"guest memory began as section {_ramId} already");
            _ramId = section.Id;
            if (section.VersionId != RamVersion)
                throw new MigrationStreamException(Offset + length - 4, section.Label, "version", $"version {section.VersionId} is unknown, only {RamVersion} is");
            _state = State.Ram;
        }
        else
        {
            var known = section.Type == SectionType.Full ? Lengths?.BodyLength(section, Offset + length) : null;
            _sized = known is not null;
            _left = known ?? 0;
            _state = State.Opaque;
        }

        return Done(StreamElementKind.SectionStart, length, out element, out needed);
    }

    private bool ReadCommand(scoped ref WireReader reader, out StreamElement element, out int needed)
    {
        if (!Command.TryRead(ref reader, Offset, out var command, out var payload))
            return More(reader.Needed, out element, out needed);
        if (command == CommandType.PostcopyAdvise)
            PostcopyAdvice = PostcopyAdvise.Read(payload);
        if (command == CommandType.Packaged)
        {
            _left = Command.ReadUInt32(payload);
            _state = State.Packaged;
        }

        needed = 0;
        element = new StreamElement
        {
            Kind = StreamElementKind.Command,
            Offset = Offset,
            Length = reader.Position,
            Command = command,
            Payload = payload,
        };
        return true;
    }

    /// <summary>False with nothing needed: the body is over.</summary>
    private bool ReadOpaque(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        if (_sized)
        {
            if (_left > 0)
                return Raw(StreamElementKind.SectionData, ref _left, buffer, out element, out needed);
            return Leave(out element, out needed);
        }

        if (HasFooters == false)
            throw new MigrationStreamException(Offset, Label, "body", "the stream has no footers and nothing tells how long this section is");
        if (buffer.IsEmpty)
            return More(1, out element, out needed);
        var before = SectionBoundary.FindFooter(buffer, _section!.Id);
        if (before > 0)
            return Data(buffer[..before], out element, out needed);
        if (buffer.Length < SectionHeader.FooterLength)
            return final ? Data(buffer, out element, out needed) : More(SectionHeader.FooterLength, out element, out needed);
        var next = buffer[SectionHeader.FooterLength..];
        switch (SectionBoundary.CanFollow(next, _sections, final, out needed))
        {
            case SectionBoundary.Verdict.Yes:
                return Leave(out element, out needed);
            case SectionBoundary.Verdict.No:
                return Data(buffer[..1], out element, out needed);
            default:
                return More(SectionHeader.FooterLength + needed, out element, out needed);
        }
    }

    private bool Leave(out StreamElement element, out int needed)
    {
        _state = State.Footer;
        return More(0, out element, out needed);
    }

    /// <summary>False with nothing needed: the stream has no footers.</summary>
    private bool ReadFooter(ReadOnlySpan<byte> buffer, bool final, out StreamElement element, out int needed)
    {
        var reader = new WireReader(buffer);
        if (HasFooters == false || (final && buffer.IsEmpty))
        {
            _state = State.Body;
            return More(0, out element, out needed);
        }

        if (!reader.TryByte(out var type))
            return More(reader.Needed, out element, out needed);
        if (type != (byte)SectionType.Footer)
        {
            if (HasFooters == true || _sized)
                throw new MigrationStreamException(Offset, Label, "footer", $"0x{type:x2} stands where the footer must be");
            HasFooters = false;
            _state = State.Body;
            return More(0, out element, out needed);
        }

        if (!reader.TryUInt32(out var id))
            return More(reader.Needed, out element, out needed);
        if (id != _section!.Id)
            throw new MigrationStreamException(Offset + 1, Label, "footer", $"it repeats section id {id}, not {_section.Id}");
        HasFooters = true;
        _state = State.Body;
        return Done(StreamElementKind.SectionFooter, reader.Position, out element, out needed);
    }

    private bool ReadAfterEof(ReadOnlySpan<byte> buffer, out StreamElement element, out int needed)
    {
        if (buffer.IsEmpty)
            return More(1, out element, out needed);
        if (_state == State.End || buffer[0] != (byte)SectionType.VmDescription)
            throw new MigrationStreamException(Offset, "stream", "end", "bytes follow the end of the stream");
        var reader = new WireReader(buffer);
        reader.TryByte(out _);
        if (!reader.TryUInt32(out var length))
            return More(reader.Needed, out element, out needed);
        if (length > MaxDescriptionLength)
            throw new MigrationStreamException(Offset + 1, "description", "length", $"{length} bytes; at most {MaxDescriptionLength} are believed");
        _left = length;
        DescriptionLength = length;
        _state = State.Description;
        return Done(StreamElementKind.VmDescriptionHeader, reader.Position, out element, out needed);
    }

    private bool Data(ReadOnlySpan<byte> bytes, out StreamElement element, out int needed)
    {
        needed = 0;
        element = new StreamElement { Kind = StreamElementKind.SectionData, Offset = Offset, Length = bytes.Length, Payload = bytes };
        return true;
    }

    /// <summary>As many raw bytes as are both left and here.</summary>
    private bool Raw(StreamElementKind kind, ref long left, ReadOnlySpan<byte> buffer, out StreamElement element, out int needed)
    {
        var skip = _mode == StreamReadMode.HeadersOnly;
        if (buffer.IsEmpty && !skip)
            return More(1, out element, out needed);
        var length = skip ? left : Math.Min(left, buffer.Length);
        left -= length;
        needed = 0;
        element = new StreamElement
        {
            Kind = kind,
            Offset = Offset,
            Length = length,
            Payload = skip ? default : buffer[..(int)length],
        };
        return true;
    }

    private bool Done(StreamElementKind kind, int length, out StreamElement element, out int needed)
    {
        needed = 0;
        element = new StreamElement { Kind = kind, Offset = Offset, Length = length };
        return true;
    }

    private static bool More(int count, out StreamElement element, out int needed)
    {
        element = default;
        needed = count;
        return false;
    }
}
