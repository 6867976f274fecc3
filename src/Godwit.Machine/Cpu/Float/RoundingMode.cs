namespace Godwit.Machine.Cpu.Float;

/// <summary>The rounding modes of IEEE 754, as RISC-V encodes them in <c>frm</c> and in an instruction's <c>rm</c>.</summary>
/// <remarks>The encodings 5 to 7 name no mode: the caller refuses them or, for 7, looks into <c>frm</c>.</remarks>
public enum RoundingMode : byte
{
    /// <summary>RNE: to the nearest, ties to even.</summary>
    NearestEven = 0,

    /// <summary>RTZ.</summary>
    TowardZero = 1,

    /// <summary>RDN: towards minus infinity.</summary>
    Down = 2,

    /// <summary>RUP: towards plus infinity.</summary>
    Up = 3,

    /// <summary>RMM: to the nearest, ties away from zero.</summary>
    NearestMaxMagnitude = 4,
}
