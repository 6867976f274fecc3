namespace Godwit.Machine.Cpu;

/// <summary>Bits of mip and mie; a bit's number is the interrupt's cause.</summary>
internal static class Interrupt
{
    public const int SupervisorSoft = 1, MachineSoft = 3, SupervisorTimer = 5, MachineTimer = 7, SupervisorExternal = 9, MachineExternal = 11;

    public const ulong Ssip = 1UL << SupervisorSoft, Msip = 1UL << MachineSoft, Stip = 1UL << SupervisorTimer,
        Mtip = 1UL << MachineTimer, Seip = 1UL << SupervisorExternal, Meip = 1UL << MachineExternal;

    /// <summary>The hypervisor's VSSIP, VSTIP and VSEIP, which QEMU lets be written in mideleg and mip without that extension too.</summary>
    public const ulong Virtual = (1UL << 2) | (1UL << 6) | (1UL << 10);

    /// <summary>Counter overflow.</summary>
    public const ulong Lcofip = 1UL << 13;

    /// <summary>QEMU keeps all of these writable in mie.</summary>
    public const ulong Local = ~0xffffUL;

    public const ulong SupervisorAll = Ssip | Stip | Seip;
    public const ulong MachineAll = Msip | Mtip | Meip;
}
