using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

public static partial class Float64
{
    /// <summary>fmin: a number wins over a NaN, and −0 is less than +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Minimum(ulong a, ulong b, ref FloatFlags flags)
    {
        return TryMinimum(a, b, out var least) ? least : Comparison.Number<Binary64>(a, b, ref flags);
    }

    /// <summary>fmax: a number wins over a NaN, and +0 is greater than −0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Maximum(ulong a, ulong b, ref FloatFlags flags)
    {
        return TryMaximum(a, b, out var greatest) ? greatest : Comparison.Number<Binary64>(a, b, ref flags);
    }

    /// <summary>fminm: any NaN gives the canonical NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MinimumM(ulong a, ulong b, ref FloatFlags flags)
    {
        return TryMinimum(a, b, out var least) ? least : Comparison.NaN<Binary64>(a, b, ref flags);
    }

    /// <summary>fmaxm: any NaN gives the canonical NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MaximumM(ulong a, ulong b, ref FloatFlags flags)
    {
        return TryMaximum(a, b, out var greatest) ? greatest : Comparison.NaN<Binary64>(a, b, ref flags);
    }

    /// <summary>feq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(ulong a, ulong b, ref FloatFlags flags)
    {
        return Host(a) == Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary64>(a, b, ref flags));
    }

    /// <summary>flt: any NaN is Invalid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(ulong a, ulong b, ref FloatFlags flags)
    {
        return Host(a) < Host(b) || (AnyNaN(a, b) && Comparison.Signaling(ref flags));
    }

    /// <summary>fle: any NaN is Invalid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(ulong a, ulong b, ref FloatFlags flags)
    {
        return Host(a) <= Host(b) || (AnyNaN(a, b) && Comparison.Signaling(ref flags));
    }

    /// <summary>fltq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessQuiet(ulong a, ulong b, ref FloatFlags flags)
    {
        return Host(a) < Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary64>(a, b, ref flags));
    }

    /// <summary>fleq: quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqualQuiet(ulong a, ulong b, ref FloatFlags flags)
    {
        return Host(a) <= Host(b) || (AnyNaN(a, b) && Comparison.Quiet<Binary64>(a, b, ref flags));
    }

    /// <summary>fclass: one bit of ten, from minus infinity (0) over the zeros (3, 4) to infinity (7), signaling and quiet NaN.</summary>
    public static ulong Classify(ulong a) => Comparison.Classify<Binary64>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AnyNaN(ulong a, ulong b) => (a & ~SignBit) > Infinity || (b & ~SignBit) > Infinity;

    /// <summary>False if either is a NaN. Equal numbers have equal bits, but for the zeros, whose signs are joined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryMinimum(ulong a, ulong b, out ulong least)
    {
        least = Host(a) < Host(b) ? a : Host(a) > Host(b) ? b : a | b;
        return !AnyNaN(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryMaximum(ulong a, ulong b, out ulong greatest)
    {
        greatest = Host(a) > Host(b) ? a : Host(a) < Host(b) ? b : a & b;
        return !AnyNaN(a, b);
    }
}
