using Godwit.Memory;

namespace Godwit.Migration;

/// <summary>What the engine asks of a machine. It knows no device: memory, and sections by name, are all there is.</summary>
public interface IMigratableMachine
{
    /// <summary>The machine type, as the configuration section has it: <c>virt</c>.</summary>
    string MachineType { get; }

    /// <summary>All zero where none was given.</summary>
    Guid Uuid { get; }

    /// <summary>In the order of the stream.</summary>
    IReadOnlyList<RamBlock> RamBlocks { get; }

    /// <summary>In the order of the stream; <c>globalstate</c> among them.</summary>
    IReadOnlyList<IDeviceSection> Devices { get; }

    /// <summary>Sections that go while the guest runs, besides memory.</summary>
    IReadOnlyList<ILiveSection> LiveSections { get; }

    /// <summary>Source: whether the guest runs now; one that stands isn't kept from being switched over.</summary>
    bool IsGuestRunning { get; }

    /// <summary>Source: has every writer of guest memory pass a point where it writes nothing, with its write translations flushed, so that
    /// dirty bits taken before the call can't hide a store that comes later.</summary>
    void SynchronizeWriters();

    /// <summary>Source: holds the harts back for a part of their time (auto-converge). 0 ends it.</summary>
    /// <param name="percent">0 to 99.</param>
    void Throttle(int percent);

    /// <summary>Source: stops the guest for good measure (run state <c>finish-migrate</c>); notes what it was doing. Pre-save hooks come later.</summary>
    void StopForSwitchover();

    /// <summary>Source: the migration failed or was cancelled after <see cref="StopForSwitchover"/>: the guest does again what it did.</summary>
    void TakeBack();

    /// <summary>Source: the other side has the guest (run state <c>postmigrate</c>).</summary>
    void HandOver();

    /// <summary>Destination: the stream came whole and every section was loaded. The machine takes the run state that the source had, or stays
    /// paused where it was started with -S.</summary>
    void StartIncoming();

    /// <summary>Destination: the guest came whole, and its source, which can't be told, may run it still. It stands, whatever it did there, until it is told to
    /// go on.</summary>
    void HoldIncoming();

    /// <summary>Destination: the guest has started, and pages of it can't be had any more. It stands, and must not go on.</summary>
    void LoseIncoming();

    /// <summary>Destination: a stream broke; what was loaded must never run.</summary>
    void DiscardIncoming();
}

/// <summary>A device's section (FULL): the counterpart of a VMStateDescription that is registered under a name.</summary>
public interface IDeviceSection
{
    /// <summary>The section's idstr.</summary>
    string IdStr { get; }

    uint InstanceId { get; }

    /// <summary>Written into the section's header.</summary>
    uint Version { get; }

    /// <summary>Versions from here on are loaded.</summary>
    uint MinimumVersion { get; }

    /// <summary>Whether it goes at all (QEMU: <c>needed</c>).</summary>
    bool IsNeeded { get; }

    /// <summary>Appends the body, and an object describing it to the description's list of devices. The machine stands.</summary>
    void Save(System.Buffers.IBufferWriter<byte> body, System.Text.Json.Utf8JsonWriter description);

    /// <summary>Takes the body and acts on it; called with a whole section or the front of one.</summary>
    /// <param name="body">From the section's first byte on; may be longer than the section. Whether one with subsections is over only the
    /// byte after it tells (a footer, the next section's type or the end of the stream: there always is one).</param>
    /// <param name="version">That of the section's header.</param>
    /// <param name="offset">Of the body in the stream, for errors.</param>
    /// <returns>Bytes taken; -1 where <paramref name="body"/> ends within the section (ask again with more).</returns>
    /// <exception cref="Wire.MigrationStreamException">It can't be such a device's.</exception>
    int Load(ReadOnlySpan<byte> body, uint version, long offset);
}
