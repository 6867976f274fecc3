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
    /// <summary>Whether the host has a fused multiply-add: the runtime's stand-in is slower than ours.</summary>
    public static bool HasFusedMultiplyAdd => Fma.IsSupported || AdvSimd.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Rounds(RoundingMode mode, FloatFlags flags)
    {
        return mode == RoundingMode.NearestEven && (flags & FloatFlags.Inexact) == FloatFlags.Inexact;
    }
}
