using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.MappedRam;
using Godwit.Migration.Multifd;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>Loads one migration into a machine, on the thread that calls it. The order of checks is the stream's own: nothing is loaded that
/// hasn't been checked.</summary>
internal sealed class IncomingLoader : IDisposable
{
    /// <summary>How long a source with a return path may take between the end of its devices and a description.</summary>
    private const int SilenceMilliseconds = 1000;

    private readonly IMigratableMachine _machine;
    private readonly Capabilities _capabilities;
    private readonly Channel _channel;
    private readonly IncomingMigration _migration;
    private readonly StreamInput _input;
    private readonly MigrationStreamReader _reader;
    private readonly RamLoader _ram;
    private readonly SectionLoader _sections;
    private readonly LiveLoader _live;
    private readonly MultifdMeetings? _multifd;
    private readonly MappedRamLoader? _mapped;
    private readonly LazyRestore? _lazy;
    private readonly Parameters _parameters;
    private readonly MigrationUri _uri;

    /// <param name="multifd">Where the multifd channels meet this one; null: there are none.</param>
    /// <param name="mapped">Reads pages from their places in a file; null: they are in the stream.</param>
    /// <param name="lazy">Has them read as they are needed, instead.</param>
    /// <param name="read">What was read off the channel already.</param>
    public IncomingLoader(
        IMigratableMachine machine,
        Capabilities capabilities,
        Parameters parameters,
        MigrationUri uri,
        Channel channel,
        IncomingMigration migration,
        MemoryAhead population,
        MultifdMeetings? multifd = null,
        MappedRamLoader? mapped = null,
        LazyRestore? lazy = null,
        ReadOnlySpan<byte> read = default)
    {
        _parameters = parameters;
        _uri = uri;
        _mapped = mapped;
        _lazy = lazy;
        _machine = machine;
        _capabilities = capabilities;
        _channel = channel;
        _migration = migration;
        _reader = new MigrationStreamReader(StreamReadMode.HeadersOnly) { PageBits = GuestPage.Bits, FileOffset = uri.FileOffset };
        _multifd = multifd;
        _input = new StreamInput(channel, _reader, read);
        _ram = new RamLoader(machine.RamBlocks, _input, population);
        _sections = new SectionLoader(machine, _input);
        _live = new LiveLoader(machine, _input, migration, capabilities["switchover-ack"]);
    }

    /// <summary>The blocks of memory that the source has listed; null until it has. For any thread.</summary>
    public IReadOnlyList<RamBlock>? ListedBlocks => _ram.Listed;

    /// <summary>Reads the stream to its end, the description included.</summary>
    /// <exception cref="MigrationStreamException">It is malformed, isn't this machine's, or ends too early.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public void Load()
    {
        while (!_reader.AfterEof)
        {
            while (!_reader.AfterEof && _input.TryNext(out var element))
                Take(element);
            if (!_reader.AfterEof)
                _input.Fill();
        }

        TakeDescription();
    }

    /// <summary>Has live sections let go of what they loaded with.</summary>
    public void Cleanup() => _live.Cleanup();

    /// <summary>Takes what a source may still say, until it closes: a connection closed on it could look to it like a failure.</summary>
    public void WaitForSource()
    {
        try
        {
            do
                _input.TakeRaw();
            while (_input.Fill());
        }
        catch (IOException)
        {
            // Gone: it had its last word.
        }
    }

    public void Dispose() => _ram.Dispose();

    private void Take(in StreamElement element)
    {
        if (element.Kind is not (StreamElementKind.Header or StreamElementKind.Configuration) && _reader.Configuration is null)
            throw new MigrationStreamException(element.Offset, "configuration", "section type", "the configuration section is missing");
        if (element.Command == CommandType.PostcopyAdvise && element.Payload.Length > 0)
            throw Refuse(element, "postcopy-ram", "pages would come after the guest has started");
        if (_migration.Handle(element, _reader))
            return;
        switch (element.Kind)
        {
            case StreamElementKind.Configuration:
                ConfigurationCheck.Check(_reader.Configuration!, element.Offset, _machine, _capabilities);
                SectionNames.Check(_machine);
                _live.Setup();
                return;
            case StreamElementKind.SectionStart when _reader.Section!.Type == SectionType.Full:
                _sections.Load(element);
                return;
            case StreamElementKind.SectionStart:
                _live.Load(element);
                return;
            case StreamElementKind.Command when element.Command == CommandType.SwitchoverStart:
                _live.SwitchoverStart(element);
                return;
            case StreamElementKind.Eof:
                _live.RequireEnds(element);
                return;
            case StreamElementKind.RamBlock:
                var block = _ram.AddBlock(element);
                if (_mapped?.Add(block, element.Block!, element.Offset) == true)
                    _lazy?.Add(block, element.Block!);
                return;
            case StreamElementKind.RamPage:
                _ram.TakePage(element);
                return;
            case StreamElementKind.RamControl:
                if (_reader.Section!.Type == SectionType.Start)
                    EndList();
                _multifd?.Take(element, _reader.Section.Type);
                return;
        }
    }

    private void EndList()
    {
        _ram.EndList();
        if (_mapped is null || _lazy is not null)
            return;
        var direct = _parameters.DirectIo;
        _mapped.Read(_capabilities["multifd"] ? () => PageFile.Open(_channel.File, _uri, write: false, direct) : null, _parameters.MultifdChannels);
    }

    /// <summary>With a return path the source leaves the connection open, and nothing says whether a description follows.</summary>
    private void TakeDescription()
    {
        var ended = false;
        var described = false;
        while (!_reader.AtEnd)
        {
            if (_input.TryNext(out var element))
            {
                described = true;
                if (element.Kind == StreamElementKind.VmDescriptionData)
                    _input.SkipPayload();
                continue;
            }

            if (_reader.AtEnd || ended)
                return;
            if (_migration.HasReturnPath && !described && _input.Unread.IsEmpty && _channel.WaitReadable(SilenceMilliseconds) == false)
                return;
            ended = !_input.Fill();
        }
    }

    private static MigrationStreamException Refuse(in StreamElement element, string capability, string why) =>
        new(element.Offset, "command", capability, $"the source uses {capability}, which is not supported here: {why}") { Unsupported = capability };
}
