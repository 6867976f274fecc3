namespace Godwit.Devices.Aclint;

/// <summary>The levels of the software interrupts. QEMU keeps them in each hart's mip and nothing of them in the device's own state,
/// so whoever loads the harts sets them from there.</summary>
/// <param name="harts">How many harts it serves.</param>
public sealed class AclintSwiState(int harts)
{
    /// <summary>MSIP of each hart.</summary>
    public bool[] Msip { get; } = new bool[harts];
}
