using Godwit.Machine.Cpu;

namespace Godwit.Machine.Virt.Loading;

/// <summary>What the machine is to start with.</summary>
/// <param name="Cpu">The harts, for the device tree.</param>
/// <param name="Harts">From 1 to <see cref="MemoryMap.MaxHarts"/>.</param>
/// <param name="MemorySize">In bytes, whole pages.</param>
public sealed record LoadRequest(CpuModel Cpu, int Harts, ulong MemorySize)
{
    /// <summary>Null or <c>default</c>: OpenSBI; <c>none</c>: nothing; else a file (QEMU: <c>-bios</c>).</summary>
    public string? Firmware { get; init; }

    /// <summary>Folders where firmware is looked for before the usual ones (QEMU: <c>-L</c>).</summary>
    public IReadOnlyList<string> DataFolders { get; init; } = [];

    /// <summary>A file: Linux Image, ELF, or raw bytes.</summary>
    public string? Kernel { get; init; }

    /// <summary>A file.</summary>
    public string? Initrd { get; init; }

    /// <summary>The kernel's.</summary>
    public string? CommandLine { get; init; }

    /// <summary>A file with the device tree to use in place of the board's own.</summary>
    public string? DeviceTree { get; init; }
}
