namespace Godwit.Devices.Plic;

/// <summary>What a migration carries of the controller (QEMU: <c>riscv_sifive_plic</c>, version 1).</summary>
/// <param name="sources">With source 0, which doesn't exist.</param>
/// <param name="contexts">A hart's modes, each its own.</param>
public sealed class PlicState(int sources, int contexts)
{
    /// <summary>Of each source.</summary>
    public uint[] SourcePriority { get; } = new uint[sources];

    /// <summary>The threshold of each context.</summary>
    public uint[] TargetPriority { get; } = new uint[contexts];

    /// <summary>A bit a source.</summary>
    public uint[] Pending { get; } = new uint[(sources + 31) / 32];

    /// <summary>A bit a source: being served.</summary>
    public uint[] Claimed { get; } = new uint[(sources + 31) / 32];

    /// <summary>A bit a source, the words of context 0 first.</summary>
    public uint[] Enable { get; } = new uint[(sources + 31) / 32 * contexts];
}
