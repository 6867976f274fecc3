using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>The rare ends of comparisons, minima and maxima: an operand is a NaN.</summary>
internal static class Comparison
{
    /// <summary>A signaling comparison with a NaN: false and Invalid.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Signaling(ref FloatFlags flags)
    {
        flags |= FloatFlags.Invalid;
        return false;
    }

    /// <summary>A quiet comparison with a NaN: false, and Invalid only for a signaling NaN.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Quiet<T>(ulong a, ulong b, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        if (FloatFormat<T>.IsSignalingNaN(a) || FloatFormat<T>.IsSignalingNaN(b))
            flags |= FloatFlags.Invalid;
        return false;
    }

    /// <summary>fmin and fmax with a NaN: the other operand, or the canonical NaN if that is a NaN too.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Number<T>(ulong a, ulong b, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        _ = Quiet<T>(a, b, ref flags);
        if (!FloatFormat<T>.IsNaN(a))
            return a;
        return FloatFormat<T>.IsNaN(b) ? FloatFormat<T>.CanonicalNaN : b;
    }

    /// <summary>fminm and fmaxm with a NaN: the canonical NaN.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong NaN<T>(ulong a, ulong b, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        _ = Quiet<T>(a, b, ref flags);
        return FloatFormat<T>.CanonicalNaN;
    }

    /// <summary>fclass: one bit of ten, from minus infinity (0) over the zeros (3, 4) to infinity (7), signaling and quiet NaN.</summary>
    public static ulong Classify<T>(ulong a)
        where T : struct, IFloatFormat
    {
        var negative = (a & FloatFormat<T>.SignBit) != 0;
        var magnitude = a & ~FloatFormat<T>.SignBit;
        if (magnitude > FloatFormat<T>.Infinity)
            return (magnitude & FloatFormat<T>.QuietBit) == 0 ? 1UL << 8 : 1UL << 9;
        var distance = magnitude == 0 ? 0 : magnitude < FloatFormat<T>.MinNormal ? 1 : magnitude < FloatFormat<T>.Infinity ? 2 : 3;
        return 1UL << (negative ? 3 - distance : 4 + distance);
    }
}
