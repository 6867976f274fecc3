using System.Security.Cryptography;
using Godwit.Memory;

namespace Godwit.Machine.Virt.Loading;

/// <summary>All that stands in memory when the machine starts, and where it starts.</summary>
public sealed class BoardImage
{
    private readonly byte[] _deviceTree;
    private readonly IReadOnlyList<Range> _seeds;

    internal BoardImage(IReadOnlyList<RomBlob> blobs, byte[] deviceTree, IReadOnlyList<Range> seeds)
    {
        Blobs = blobs;
        _deviceTree = deviceTree;
        _seeds = seeds;
        Reseed();
    }

    /// <summary>In the order they were loaded, the boot ROM's last.</summary>
    public IReadOnlyList<RomBlob> Blobs { get; }

    /// <summary>The blob that the guest is given, as of the last reset.</summary>
    public ReadOnlyMemory<byte> DeviceTree => _deviceTree;

    /// <summary>Where the harts begin: the boot ROM.</summary>
    public static ulong ResetAddress => MemoryMap.Mrom.Base;

    /// <summary>What stands there: code, then the addresses it uses, then OpenSBI's dynamic information.</summary>
    public required ReadOnlyMemory<byte> ResetVector { get; init; }

    /// <summary>Where the boot ROM jumps, in machine mode: the firmware, or RAM's start without one.</summary>
    public required ulong StartAddress { get; init; }

    public required ulong DeviceTreeAddress { get; init; }

    /// <summary>Where the firmware goes on, in supervisor mode; 0 without a kernel.</summary>
    public required ulong KernelEntry { get; init; }

    /// <summary>Writes all of it, with new random seeds: at the start, and whenever the machine is reset.</summary>
    /// <exception cref="LoadException">There is no memory for a part of it.</exception>
    public void Install(AddressSpace memory)
    {
        Reseed();
        foreach (var blob in Blobs)
            blob.Install(memory);
    }

    private void Reseed()
    {
        foreach (var seed in _seeds)
            RandomNumberGenerator.Fill(_deviceTree.AsSpan(seed));
    }
}
