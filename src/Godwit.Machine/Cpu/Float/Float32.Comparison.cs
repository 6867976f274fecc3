using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

public static partial class Float32
{
    /// <summary>fmin: a number wins over a NaN, and −0 is less than +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Minimum(uint a, uint b, ref FloatFlags flags)
    {
        return TryMinimum(a, b, out var least) ? least : (uint)Comparison.Number<Binary32>(a, b, ref flags);
    }

    /// <summary>fmax: a number wins over a NaN, and +0 is greater than −0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Maximum(uint a, uint b, ref FloatFlags flags)
    {
        return TryMaximum(a, b, out var greatest) ? greatest : (uint)Comparison.Number<Binary32>(a, b, ref flags);
    }

    /// <summary>fminm: any NaN gives the canonical NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MinimumM(uint a, uint b, ref FloatFlags flags)
    {
        return TryMinimum(a, b, out var least) ? least : (uint)Comparison.NaN<Binary32>(a, b, ref flags);
    }

    /// <summary>fmaxm: any NaN gives the canonical NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MaximumM(uint a, uint b, ref FloatFlags flags)
    {
        return TryMaximum(a, b, out var greatest) ? greatest : (uint)Comparison.NaN<Binary32>(a, b, ref flags);
    }

    /// <summary>feq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(uint a, uint b, ref FloatFlags flags)
    {
        return Host(a) == Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary32>(a, b, ref flags));
    }

    /// <summary>flt: any NaN is Invalid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(uint a, uint b, ref FloatFlags flags)
    {
        return Host(a) < Host(b) || (AnyNaN(a, b) && Comparison.Signaling(ref flags));
    }

    /// <summary>fle: any NaN is Invalid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(uint a, uint b, ref FloatFlags flags)
    {
        return Host(a) <= Host(b) || (AnyNaN(a, b) && Comparison.Signaling(ref flags));
    }

    /// <summary>fltq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessQuiet(uint a, uint b, ref FloatFlags flags)
    {
        return Host(a) < Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary32>(a, b, ref flags));
    }

    /// <summary>fleq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqualQuiet(uint a, uint b, ref FloatFlags flags)
    {
        return Host(a) <= Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary32>(a, b, ref flags));
    }

    /// <summary>fclass: one bit of ten, from minus infinity (0) over the zeros (3, 4) to infinity (7), signaling and quiet NaN.</summary>
    public static ulong Classify(uint a) => Comparison.Classify<Binary32>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AnyNaN(uint a, uint b) => (a & ~SignBit) > Infinity || (b & ~SignBit) > Infinity;

    /// <summary>False if either is a NaN. Equal numbers have equal bits, but for the zeros, whose signs are joined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryMinimum(uint a, uint b, out uint least)
    {
        least = Host(a) < Host(b) ? a : Host(a) > Host(b) ? b : a | b;
        return !AnyNaN(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryMaximum(uint a, uint b, out uint greatest)
    {
        greatest = Host(a) > Host(b) ? a : Host(a) < Host(b) ? b : a & b;
        return !AnyNaN(a, b);
    }
}
