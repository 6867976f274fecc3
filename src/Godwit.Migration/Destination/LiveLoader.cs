using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>Live sections' parts: each goes to the machine's section of its name and instance, which takes it piece by piece and knows where it ends.
/// Guest memory's parts are only watched here: no section that began may be left without its end.</summary>
internal sealed class LiveLoader
{
    private readonly IMigratableMachine _machine;
    private readonly StreamInput _input;
    private readonly IncomingMigration _migration;
    private readonly bool _switchoverAck;
    private readonly HashSet<uint> _open = [];
    private readonly Dictionary<uint, ILiveSection> _begun = [];
    private readonly List<ILiveSection> _setUp = [];
    private bool _switchoverStarted;

    /// <param name="switchoverAck">Whether the capability is on.</param>
    public LiveLoader(IMigratableMachine machine, StreamInput input, IncomingMigration migration, bool switchoverAck)
    {
        _machine = machine;
        _input = input;
        _migration = migration;
        _switchoverAck = switchoverAck;
    }

    public void Setup()
    {
        foreach (var section in _machine.LiveSections)
        {
            _setUp.Add(section);
            section.LoadSetup(_switchoverAck);
        }
    }

    /// <summary>Takes the part whose header was just read, up to its footer; of guest memory its header alone.</summary>
    public void Load(in StreamElement element)
    {
        var header = _input.Reader.Section!;
        if (header.Type == SectionType.Start)
            Begin(element, header);
        else if (!_open.Contains(header.Id))
            throw Error(element.Offset, header, "section type", "the section has ended already");
        if (header.Type == SectionType.End)
            _open.Remove(header.Id);
        if (!header.IsRam)
            LoadBody(header, _begun[header.Id]);
    }

    /// <summary>SWITCHOVER_START.</summary>
    public void SwitchoverStart(in StreamElement element)
    {
        if (_switchoverStarted)
            throw new MigrationStreamException(element.Offset, "command", CommandType.SwitchoverStart.QemuName(), "it comes twice");
        _switchoverStarted = true;
        _setUp.ForEach(s => s.SwitchoverStart());
    }

    /// <exception cref="MigrationStreamException">One is open at the end of the stream.</exception>
    public void RequireEnds(in StreamElement eof)
    {
        foreach (var id in _open)
        {
            var name = _begun.TryGetValue(id, out var section) ? section.IdStr : SectionHeader.RamName;
            throw new MigrationStreamException(eof.Offset, name, "section type", $"the stream's end comes before the end of this section, id {id}");
        }
    }

    public void Cleanup()
    {
        foreach (var section in _setUp)
        {
            try
            {
                section.LoadCleanup();
            }
            catch (Exception)
            {
                // The migration's outcome stands; the others are to be cleaned up, too.
            }
        }

        _setUp.Clear();
    }

    private void Begin(in StreamElement element, SectionHeader header)
    {
        _open.Add(header.Id);
        if (header.IsRam)
            return;
        var section = _machine.LiveSections.FirstOrDefault(s => s.InstanceId == header.InstanceId && string.Equals(s.IdStr, header.Name, StringComparison.Ordinal))
            ?? throw Error(element.Offset, header, "idstr", "a live section that this machine doesn't have");
        if (header.VersionId > section.Version)
            throw Error(element.Offset, header, "version", $"version {header.VersionId} is too new, this machine's section has {section.Version}");
        if (header.VersionId < section.MinimumVersion)
            throw Error(element.Offset, header, "version", $"version {header.VersionId} is too old, this machine's section loads {section.MinimumVersion} and later");
        if (_begun.ContainsValue(section))
            throw Error(element.Offset, header, "idstr", "the section begins twice");
        _begun.Add(header.Id, section);
    }

    private void LoadBody(SectionHeader header, ILiveSection section)
    {
        var began = _input.Reader.Offset;
        while (true)
        {
            var here = _input.Unread.Length;
            var progress = section.Load(header.Type, _input.Unread, header.VersionId, _input.Reader.Offset);
            if (progress.Taken < 0 || progress.Taken > here)
                throw new InvalidOperationException($"section '{header.Label}' took {progress.Taken} bytes of {here}");
            if (progress.ApprovesSwitchover)
                Approve(header);
            _input.SkipBody(progress.Taken, progress.Ended);
            if (progress.Ended)
                return;
            here -= progress.Taken;
            // It stopped to say so: what follows may be here already, and nothing else come.
            if (progress.ApprovesSwitchover && progress.Taken > 0 && here > 0)
                continue;
            if (here > StreamInput.MaxBody)
                throw Error(_input.Reader.Offset, header, "body", $"nothing can be made of the next {here} bytes");
            if (!_input.FillMore())
                throw Error(_input.Reader.Offset + here, header, "body", $"the stream ends here, in a body that began at byte {began}");
        }
    }

    private void Approve(SectionHeader header)
    {
        if (!_switchoverAck || !_migration.HasReturnPath)
            throw Error(_input.Reader.Offset, header, "body", $"the source wants its switchover approved, and {(_switchoverAck ? "there is no return path" : "capability switchover-ack is off here")}");
        _migration.ApproveSwitchover(_input.Reader.Configuration?.MachineName);
    }

    private static MigrationStreamException Error(long offset, SectionHeader section, string field, string reason) => new(offset, section.Label, field, reason);
}
