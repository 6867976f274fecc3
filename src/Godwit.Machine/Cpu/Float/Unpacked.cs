using System.Numerics;
using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>What a number is; NaNs sort last.</summary>
internal enum FloatKind : byte
{
    Finite,
    Zero,
    Infinity,
    QuietNaN,
    SignalingNaN,
}

/// <summary>
/// A number of any format, taken apart. A finite one, subnormal or not, is <c>Significand × 2^(Exponent − 63)</c> with bit 63 of the
/// significand set; at least its low 11 bits are zero, the room that sums and rounding need.
/// </summary>
internal readonly struct Unpacked
{
    private Unpacked(bool negative, FloatKind kind, int exponent, ulong significand)
    {
        Negative = negative;
        Kind = kind;
        Exponent = exponent;
        Significand = significand;
    }

    public bool Negative { get; }

    public FloatKind Kind { get; }

    public int Exponent { get; }

    public ulong Significand { get; }

    public bool IsFinite => Kind == FloatKind.Finite;

    public bool IsZero => Kind == FloatKind.Zero;

    public bool IsInfinity => Kind == FloatKind.Infinity;

    public bool IsNaN => Kind >= FloatKind.QuietNaN;

    public bool IsSignalingNaN => Kind == FloatKind.SignalingNaN;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Unpacked From<T>(ulong bits)
        where T : struct, IFloatFormat
    {
        var negative = (bits & FloatFormat<T>.SignBit) != 0;
        var field = (int)(bits >> T.FractionBits) & FloatFormat<T>.MaxExponentField;
        var fraction = bits & FloatFormat<T>.FractionMask;
        if (field != 0 && field != FloatFormat<T>.MaxExponentField)
        {
            var significand = (fraction | FloatFormat<T>.MinNormal) << (63 - T.FractionBits);
            return new(negative, FloatKind.Finite, field - FloatFormat<T>.Bias, significand);
        }
        return Unusual<T>(negative, field, fraction);
    }

    private static Unpacked Unusual<T>(bool negative, int field, ulong fraction)
        where T : struct, IFloatFormat
    {
        if (field != 0)
        {
            var nan = (fraction & FloatFormat<T>.QuietBit) != 0 ? FloatKind.QuietNaN : FloatKind.SignalingNaN;
            return new(negative, fraction == 0 ? FloatKind.Infinity : nan, 0, 0);
        }
        if (fraction == 0)
            return new(negative, FloatKind.Zero, 0, 0);
        var zeros = BitOperations.LeadingZeroCount(fraction);
        return new(negative, FloatKind.Finite, 1 - FloatFormat<T>.Bias - T.FractionBits + 63 - zeros, fraction << zeros);
    }
}
