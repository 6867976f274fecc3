using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>Devices' sections: each goes to the device that has its name and instance, which knows how long it is.</summary>
internal sealed class SectionLoader
{
    private readonly IMigratableMachine _machine;
    private readonly StreamInput _input;
    private readonly HashSet<IDeviceSection> _loaded = [];

    public SectionLoader(IMigratableMachine machine, StreamInput input)
    {
        _machine = machine;
        _input = input;
    }

    /// <summary>Takes the section whose header was just read, up to its footer.</summary>
    public void Load(in StreamElement header)
    {
        var section = _input.Reader.Section!;
        var device = _machine.Devices.FirstOrDefault(d => d.InstanceId == section.InstanceId && string.Equals(d.IdStr, section.Name, StringComparison.Ordinal))
            ?? throw Error(header.Offset, section, "idstr", "Unknown section or instance: this machine has no such device, so it isn't set up as the source is");
        if (section.VersionId > device.Version)
            throw Error(header.Offset, section, "version", $"version {section.VersionId} is too new, this machine's device has {device.Version}");
        if (section.VersionId < device.MinimumVersion)
            throw Error(header.Offset, section, "version", $"version {section.VersionId} is too old, this machine's device loads {device.MinimumVersion} and later");
        if (!_loaded.Add(device))
            throw Error(header.Offset, section, "idstr", "the section comes twice");
        var offset = _input.Reader.Offset;
        int taken;
        while ((taken = device.Load(_input.Unread, section.VersionId, offset)) < 0)
        {
            var before = _input.Unread.Length;
            if (before > StreamInput.MaxBody)
                throw Error(offset, section, "body", $"it doesn't end within {before} bytes");
            if (!_input.FillMore())
                throw Error(offset + before, section, "body", $"the stream ends here, in a body that began at byte {offset}");
        }

        _input.SkipBody(taken);
    }

    private static MigrationStreamException Error(long offset, SectionHeader section, string field, string reason) => new(offset, section.Label, field, reason);
}
