using System.Runtime.CompilerServices;
using Godwit.Machine.Cpu.Decode;

namespace Godwit.Machine.Cpu;

/// <summary>x0 to x31, and behind them <see cref="Instruction.Sink"/>, which takes what is written to x0.</summary>
[InlineArray(Count)]
public struct IntegerRegisters
{
    /// <summary>As many as a byte can name, so that a byte as index needs no bounds check.</summary>
    public const int Count = 256;

    private ulong _first;
}

/// <summary>f0 to f31 as 64 bits; a single-precision value is NaN-boxed. As many as a byte can name, as above.</summary>
[InlineArray(Count)]
public struct FloatRegisters
{
    public const int Count = 256;

    private ulong _first;
}

/// <summary>What a hart is, between two instructions: the fields of QEMU's <c>vmstate_riscv_cpu</c> (<c>target/riscv/machine.c</c>), by its names.</summary>
public sealed class HartState
{
    public const int PmpEntries = 16;
    public const int Counters = 32;

    public IntegerRegisters X;
    public FloatRegisters F;
    public ulong Pc;
    public Privilege Priv;

    public ulong Mstatus;

    /// <summary>Interrupts that are pending. Other threads set and clear bits of it: only by <see cref="Interlocked"/>.</summary>
    public ulong Mip;

    public ulong Mie;
    public ulong Mideleg;
    public ulong Medeleg;
    public ulong Mtvec;
    public ulong Mepc;
    public ulong Mcause;
    public ulong Mtval;
    public ulong Mscratch;
    public ulong Menvcfg;
    public uint Mcounteren;
    public uint Mcountinhibit;

    public ulong Satp;
    public ulong Stvec;
    public ulong Sepc;
    public ulong Scause;
    public ulong Stval;
    public ulong Sscratch;
    public ulong Senvcfg;
    public uint Scounteren;
    public ulong Stimecmp;

    /// <summary>mip.SEIP as the guest wrote it, and as the interrupt controller has it.</summary>
    public bool SoftwareSeip;
    public bool ExternalSeip;

    public byte Frm;

    /// <summary>fflags.</summary>
    public byte Fflags;

    /// <summary>Address of the reservation that lr made, and what it read; <see cref="NoReservation"/>: none.</summary>
    public ulong LoadRes = NoReservation;
    public ulong LoadVal;

    public byte[] PmpCfg = new byte[PmpEntries];
    public ulong[] PmpAddr = new ulong[PmpEntries];

    /// <summary>mcycle, nothing, minstret and the mhpmcounters, less what <see cref="Retired"/> counts for the first and the third.</summary>
    public ulong[] Counter = new ulong[Counters];
    public ulong[] Mhpmevent = new ulong[Counters];

    /// <summary>Instructions retired since the hart began.</summary>
    public ulong Retired;

    public const ulong NoReservation = ulong.MaxValue;
}
