using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>What tells one binary interchange format from another; a struct, so that the JIT makes constants of it.</summary>
internal interface IFloatFormat
{
    /// <summary>Bits of the fraction field: the precision without its leading one.</summary>
    static abstract int FractionBits { get; }

    static abstract int ExponentBits { get; }
}

internal readonly struct Binary32 : IFloatFormat
{
    public static int FractionBits => 23;

    public static int ExponentBits => 8;
}

internal readonly struct Binary64 : IFloatFormat
{
    public static int FractionBits => 52;

    public static int ExponentBits => 11;
}

/// <summary>A format's derived figures, on raw bits in the low end of a <c>ulong</c>.</summary>
internal static class FloatFormat<T>
    where T : struct, IFloatFormat
{
    public static int Bias => (1 << (T.ExponentBits - 1)) - 1;

    /// <summary>The exponent field of infinities and NaNs.</summary>
    public static int MaxExponentField => (1 << T.ExponentBits) - 1;

    public static ulong FractionMask => (1UL << T.FractionBits) - 1;

    public static ulong SignBit => 1UL << (T.FractionBits + T.ExponentBits);

    public static ulong Infinity => (ulong)MaxExponentField << T.FractionBits;

    public static ulong QuietBit => 1UL << (T.FractionBits - 1);

    public static ulong CanonicalNaN => Infinity | QuietBit;

    public static ulong MinNormal => 1UL << T.FractionBits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNaN(ulong bits) => (bits & ~SignBit) > Infinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSignalingNaN(ulong bits) => IsNaN(bits) && (bits & QuietBit) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Zero(bool negative) => negative ? SignBit : 0;

    /// <summary>The canonical NaN, as the result of an operation that has no answer.</summary>
    public static ulong Invalid(ref FloatFlags flags)
    {
        flags |= FloatFlags.Invalid;
        return CanonicalNaN;
    }
}
