using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>
/// The protocol's destination end, apart from what becomes of the data: answers the source's commands over the return path and
/// refuses, by name, what it can't do, as long as the source can still keep its guest.
/// </summary>
public sealed class IncomingMigration
{
    private readonly Channel _channel;
    private readonly SwitchoverAck _switchoverAck;
    private ReturnPathWriter? _returnPath;

    /// <param name="approvers">Live sections that will approve of the switchover, by <see cref="ApproveSwitchover"/>.</param>
    public IncomingMigration(Channel channel, SwitchoverAckMode switchoverAck, int approvers = 0, TimeProvider? time = null)
    {
        _channel = channel;
        _switchoverAck = new SwitchoverAck(switchoverAck, approvers, time);
    }

    /// <summary>Whether the source may have channels of their own for pages.</summary>
    public bool TakesMultifd { get; init; }

    /// <summary>Whether it has.</summary>
    public bool HasMultifd { get; set; }

    /// <summary>Whether pages may stand at fixed places of a file.</summary>
    public bool TakesMappedRam { get; init; }

    /// <summary>Whether the source waits for the destination's last word before it gives up its guest.</summary>
    public bool HasReturnPath => _returnPath is not null;

    /// <summary>Acts on an element where it concerns the protocol.</summary>
    /// <param name="element">The element just read.</param>
    /// <param name="reader">The reader that gave it.</param>
    /// <returns>True for what is between the two ends only, and has no place in a file.</returns>
    /// <exception cref="MigrationStreamException">Something that isn't supported; its Unsupported says what.</exception>
    public bool Handle(in StreamElement element, MigrationStreamReader reader)
    {
        if (_returnPath is not null && _switchoverAck.After(element, reader.Configuration?.MachineName, HasMultifd))
            _returnPath.Send(new ReturnPathMessage(ReturnPathType.SwitchoverAck));
        switch (element.Kind)
        {
            case StreamElementKind.Configuration when reader.Configuration!.Has(ConfigurationSection.MappedRam) && !TakesMappedRam:
                throw Refuse(element, "configuration", ConfigurationSection.MappedRam, "pages stand at fixed places of a file");
            case StreamElementKind.RamControl when element.Flags.HasFlag(RamFlags.MultifdFlush) && !TakesMultifd:
                throw Refuse(element, SectionHeader.RamName, "multifd", "pages come over channels of their own");
            case StreamElementKind.RamControl when element.Flags.HasFlag(RamFlags.Hook):
                throw Refuse(element, SectionHeader.RamName, "rdma", "pages come by remote DMA");
            case StreamElementKind.RamPage when element.Flags.HasFlag(RamFlags.CompressPage):
                throw Refuse(element, SectionHeader.RamName, "compress", "pages are compressed");
            case StreamElementKind.Command:
                return HandleCommand(element, reader);
            default:
                return false;
        }
    }

    /// <summary>A live section has what it needs before the guest may be stopped.</summary>
    /// <param name="machineName">The source's machine type.</param>
    public void ApproveSwitchover(string? machineName)
    {
        if (_switchoverAck.Approve(machineName))
            _returnPath?.Send(new ReturnPathMessage(ReturnPathType.SwitchoverAck));
    }

    /// <summary>Tells the source that everything came; it may give up its guest.</summary>
    public void Complete()
    {
        _returnPath?.Send(new ReturnPathMessage(ReturnPathType.Shut));
    }

    /// <summary>Tells the source, as far as it can be told, that the migration failed and the guest is its own again. One whose OPEN_RETURN_PATH hasn't been read
    /// yet may be listening already.</summary>
    public void Fail()
    {
        try
        {
            if (_channel.IsBidirectional)
                (_returnPath ?? new ReturnPathWriter(_channel)).Send(new ReturnPathMessage(ReturnPathType.Shut, Value: 1));
        }
        catch (IOException)
        {
            // It knows: the connection is broken.
        }

        _channel.Shutdown();
    }

    private bool HandleCommand(in StreamElement element, MigrationStreamReader reader)
    {
        switch (element.Command)
        {
            case CommandType.OpenReturnPath:
                // Over a file nobody waits for an answer: it is a capture of a stream whose source has long had one.
                if (_returnPath is null && _channel.IsBidirectional)
                {
                    _returnPath = new ReturnPathWriter(_channel);
                    if (_switchoverAck.AtOpen(reader.Configuration?.MachineName))
                        _returnPath.Send(new ReturnPathMessage(ReturnPathType.SwitchoverAck));
                }

                return true;
            case CommandType.Ping:
                if (_returnPath is null && _channel.IsBidirectional)
                    throw new MigrationStreamException(element.Offset, "command", "PING", "the return path isn't open");
                _returnPath?.Send(new ReturnPathMessage(ReturnPathType.Pong, Value: Command.ReadUInt32(element.Payload)));
                return true;
            case CommandType.PostcopyAdvise:
                return true;
            case CommandType.SwitchoverStart:
                return false;
            case CommandType.EnableColo:
                throw Refuse(element, "command", "x-colo", "two machines run side by side");
            default:
                throw Refuse(element, "command", "postcopy-ram", $"the source has entered postcopy ({element.Command.QemuName()}) and wants its guest to run here");
        }
    }

    private static MigrationStreamException Refuse(in StreamElement element, string section, string capability, string why) =>
        new(element.Offset, section, capability, $"the source uses {capability}, which is not supported here: {why}") { Unsupported = capability };
}
