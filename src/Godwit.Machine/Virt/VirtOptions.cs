using Godwit.Devices.Character;
using Godwit.Machine.Virt.Loading;
using Godwit.Memory;

namespace Godwit.Machine.Virt;

/// <summary>What a machine is made of.</summary>
/// <param name="Load">Harts, memory size, firmware, kernel and the rest of what it starts with.</param>
public sealed record VirtOptions(LoadRequest Load)
{
    /// <summary>Makes the backend of the serial port, given the machine's lock; null: output is dropped.</summary>
    public Func<Lock, ICharacterBackend>? Serial { get; init; }

    /// <summary>RAM made elsewhere (QEMU: <c>-machine memory-backend=</c>); it goes with the machine. Null: anonymous memory.</summary>
    public RamBlock? Ram { get; init; }

    /// <summary>A guest that asks for a reset ends the machine (QEMU: <c>-no-reboot</c>).</summary>
    public bool NoReboot { get; init; }

    /// <summary>A guest that powers off leaves a machine to look at (QEMU: <c>-no-shutdown</c>).</summary>
    public bool NoShutdown { get; init; }

    /// <summary>The machine waits for another's state instead of starting with its own (QEMU: <c>-incoming</c>).</summary>
    public bool Incoming { get; init; }

    /// <summary>An incoming machine stays paused when all has come (QEMU: <c>-S</c>).</summary>
    public bool StartPaused { get; init; }

    /// <summary>Of the machine, for its firmware and for who asks (QEMU: <c>-uuid</c>).</summary>
    public Guid Uuid { get; init; }
}
