using Godwit.Wire.Stream;

namespace Godwit.Migration;

/// <summary>State that goes in parts while the guest runs (QEMU: <c>SaveVMHandlers</c>); guest memory is one, and the engine's own. Each end calls its
/// methods in the order they stand here, all on one thread.</summary>
public interface ILiveSection
{
    /// <summary>The section's idstr. With the instance it is unique among a machine's live sections; a device's section may have the same.</summary>
    string IdStr { get; }

    uint InstanceId { get; }

    /// <summary>Written into START's header.</summary>
    uint Version { get; }

    /// <summary>Versions from here on are loaded.</summary>
    uint MinimumVersion { get; }

    /// <summary>Source: whether it goes at all (QEMU: <c>is_active</c>). Asked once, before anything else.</summary>
    bool IsNeeded { get; }

    /// <summary>Source: begins, and writes START's body.</summary>
    void SaveSetup(ILiveOutput output);

    /// <summary>Source: what is left to be sent.</summary>
    /// <param name="exact">False: what is known without asking far; true: looked up anew, because the end may be near.</param>
    LivePending Pending(bool exact);

    /// <summary>Source: writes a PART's body, more or less what <see cref="ILiveOutput.Left"/> allows. Called even where nothing is pending.</summary>
    void Iterate(ILiveOutput output);

    /// <summary>Source: writes END's body, all that is left. The guest stands.</summary>
    void Complete(ILiveOutput output);

    /// <summary>Source: the migration is over, one way or another; called once where <see cref="SaveSetup"/> was, even if that failed. The guest's run state is
    /// settled already.</summary>
    void SaveCleanup();

    /// <summary>Destination: whether it will approve of the switchover (<see cref="LiveProgress.ApprovesSwitchover"/>) where that is asked for.</summary>
    bool NeedsSwitchoverAck { get; }

    /// <summary>Destination: a stream begins.</summary>
    /// <param name="switchoverAck">Whether capability switchover-ack is on.</param>
    void LoadSetup(bool switchoverAck);

    /// <summary>Destination: takes what it can of a body, which may be longer than all the memory there is: never wait for the whole of it.</summary>
    /// <param name="part">START, PART or END.</param>
    /// <param name="body">From the first byte not taken yet; may reach beyond the body.</param>
    /// <param name="version">That of START's header.</param>
    /// <param name="offset">Of <paramref name="body"/> in the stream, for errors.</param>
    /// <exception cref="Wire.MigrationStreamException">It can't be such a section's.</exception>
    LiveProgress Load(SectionType part, ReadOnlySpan<byte> body, uint version, long offset);

    /// <summary>Destination: the source has stopped its guest (command SWITCHOVER_START). Sources before QEMU 10.0 don't tell.</summary>
    void SwitchoverStart();

    /// <summary>Destination: the stream is over, one way or another; called once where <see cref="LoadSetup"/> was, even if that failed. The guest may run.</summary>
    void LoadCleanup();
}

/// <summary>What a live section has left to send.</summary>
/// <param name="WantsSwitchoverAck">Asks for one more approval by its other end before the guest may be stopped; true once for each (QEMU 11.1). Ignored where
/// capability switchover-ack is off.</param>
public readonly record struct LivePending(long Bytes, bool WantsSwitchoverAck = false);

/// <summary>How far a live section came with the bytes it was given.</summary>
/// <param name="Taken">Bytes off the front. Not <paramref name="Ended"/>, it will be given the rest again with more behind it.</param>
/// <param name="Ended">Whether the body ends there.</param>
/// <param name="ApprovesSwitchover">Whether the source is now to be told SWITCHOVER_ACK.</param>
public readonly record struct LiveProgress(int Taken, bool Ended, bool ApprovesSwitchover = false);

/// <summary>Where a live section writes.</summary>
public interface ILiveOutput
{
    /// <summary>Whether capability switchover-ack is on.</summary>
    bool UsesSwitchoverAck { get; }

    /// <summary>Bytes until the bandwidth allowed is used up for now; may be overdrawn. <see cref="long.MaxValue"/> where nothing limits.</summary>
    long Left { get; }

    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The migration was cancelled.</exception>
    void Write(ReadOnlySpan<byte> bytes);
}
