using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Godwit.Machine.Cpu.Float;

/// <summary>When the host's own floating point may answer.</summary>
/// <remarks>
/// The host rounds to the nearest even and tells no flags. With Inexact raised already, a finite result that isn't tiny raises nothing
/// new, whatever the operands; and no operand but finite ones gives such a result, save a zero from a division by infinity.
/// </remarks>
internal static class HostFloat
{
    /// <summary>Of CPUID 1 in ECX.</summary>
    private const int FmaBit = 1 << 12;

    /// <summary>Whether the host has a fused multiply-add: a stand-in is slower than ours. Asked of the processor, as code that is made for any
    /// doesn't use the instruction itself, but by the C library, which does.</summary>
    public static bool HasFusedMultiplyAdd { get; } = AdvSimd.IsSupported || (X86Base.IsSupported && (X86Base.CpuId(1, 0).Ecx & FmaBit) != 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Rounds(RoundingMode mode, FloatFlags flags)
    {
        return mode == RoundingMode.NearestEven && (flags & FloatFlags.Inexact) == FloatFlags.Inexact;
    }
}
