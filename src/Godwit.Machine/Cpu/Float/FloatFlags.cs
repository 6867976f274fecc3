namespace Godwit.Machine.Cpu.Float;

/// <summary>The accrued exceptions of IEEE 754, as RISC-V keeps them in <c>fflags</c>.</summary>
[Flags]
public enum FloatFlags : byte
{
    None = 0,

    /// <summary>NX.</summary>
    Inexact = 1,

    /// <summary>UF: tiny after rounding, and inexact.</summary>
    Underflow = 2,

    /// <summary>OF.</summary>
    Overflow = 4,

    /// <summary>DZ.</summary>
    DivideByZero = 8,

    /// <summary>NV.</summary>
    Invalid = 16,
}
