using System.Numerics;
using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>Between formats, to and from integers, and to whole numbers; in integers, any rounding.</summary>
internal static class Conversion
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Convert<TFrom, TTo>(ulong a, RoundingMode mode, ref FloatFlags flags)
        where TFrom : struct, IFloatFormat
        where TTo : struct, IFloatFormat
    {
        var x = Unpacked.From<TFrom>(a);
        return x.Kind switch
        {
            FloatKind.Finite => Rounding.Pack<TTo>(x.Negative, x.Exponent, x.Significand, mode, ref flags),
            FloatKind.Zero => FloatFormat<TTo>.Zero(x.Negative),
            FloatKind.Infinity => Arithmetic.Infinity<TTo>(x.Negative),
            _ => Arithmetic.NaN<TTo>(x.IsSignalingNaN, ref flags),
        };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong FromInteger<T>(bool negative, ulong magnitude, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        if (magnitude == 0)
            return 0;
        var zeros = BitOperations.LeadingZeroCount(magnitude);
        return Rounding.Pack<T>(negative, 63 - zeros, magnitude << zeros, mode, ref flags);
    }

    /// <summary>To a signed integer. What doesn't fit saturates and is Invalid; a NaN becomes the greatest integer.</summary>
    /// <param name="width">Of the integer, in bits: 32 or 64.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long ToSigned<T>(ulong a, int width, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var max = (ulong)(long.MaxValue >> (64 - width));
        if (!x.IsNaN && TryRound(x, mode, out var magnitude, out var inexact) && magnitude <= (x.Negative ? max + 1 : max))
        {
            if (inexact)
                flags |= FloatFlags.Inexact;
            return (long)(x.Negative ? 0 - magnitude : magnitude);
        }
        flags |= FloatFlags.Invalid;
        return x.Negative && !x.IsNaN ? -(long)max - 1 : (long)max;
    }

    /// <summary>To an unsigned integer, saturating likewise; a negative number that doesn't round to zero doesn't fit.</summary>
    /// <param name="width">Of the integer, in bits: 32 or 64.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ToUnsigned<T>(ulong a, int width, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var max = ulong.MaxValue >> (64 - width);
        if (!x.IsNaN && TryRound(x, mode, out var magnitude, out var inexact) && magnitude <= (x.Negative ? 0 : max))
        {
            if (inexact)
                flags |= FloatFlags.Inexact;
            return magnitude;
        }
        flags |= FloatFlags.Invalid;
        return x.Negative && !x.IsNaN ? 0 : max;
    }

    /// <summary>Towards zero and modulo 2^32, with the flags of a conversion to a signed 32-bit integer (Zfa, for JavaScript).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int ToInt32Modular<T>(ulong a, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        _ = ToSigned<T>(a, 32, RoundingMode.TowardZero, ref flags);
        var x = Unpacked.From<T>(a);
        if (!x.IsFinite || x.Exponent is < 0 or > 63 + 31)
            return 0;
        var magnitude = x.Exponent < 63 ? x.Significand >> (63 - x.Exponent) : x.Significand << (x.Exponent - 63);
        return (int)(uint)(x.Negative ? 0 - magnitude : magnitude);
    }

    /// <summary>To a whole number of the same format; a result of zero keeps its sign.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Round<T>(ulong a, RoundingMode mode, bool exact, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var sign = a & FloatFormat<T>.SignBit;
        var bits = a ^ sign;
        if (bits > FloatFormat<T>.Infinity)
            return Arithmetic.NaN<T>((bits & FloatFormat<T>.QuietBit) == 0, ref flags);
        var exponent = (int)(bits >> T.FractionBits) - FloatFormat<T>.Bias;
        if (exponent >= T.FractionBits || bits == 0)
            return a;

        ulong rounded;
        if (exponent < 0)
        {
            // Less than one: half is what has the exponent −1 and no fraction.
            var half = (ulong)(FloatFormat<T>.Bias - 1) << T.FractionBits;
            var one = (ulong)FloatFormat<T>.Bias << T.FractionBits;
            rounded = Rounding.RoundsUp(mode, sign != 0, odd: false, bits, half) ? one : 0;
        }
        else
        {
            var drop = T.FractionBits - exponent;
            var unit = 1UL << drop;
            var lost = bits & (unit - 1);
            if (lost == 0)
                return a;

            // Below two, the unit's bit is the exponent field's lowest: set, as it is in every bias, and so is the hidden bit it stands for.
            var odd = (bits & unit) != 0;
            rounded = bits - lost + (Rounding.RoundsUp(mode, sign != 0, odd, lost, unit >> 1) ? unit : 0);
        }
        if (exact)
            flags |= FloatFlags.Inexact;
        return rounded | sign;
    }

    /// <summary>Rounds a magnitude to a whole number; false if that takes more than 64 bits.</summary>
    private static bool TryRound(Unpacked x, RoundingMode mode, out ulong magnitude, out bool inexact)
    {
        magnitude = 0;
        inexact = false;
        if (!x.IsFinite)
            return x.IsZero;
        if (x.Exponent >= 63)
        {
            magnitude = x.Significand;
            return x.Exponent == 63;
        }
        ulong lost;
        var half = 1UL << 63;
        if (x.Exponent >= 0)
        {
            magnitude = x.Significand >> (63 - x.Exponent);
            lost = x.Significand << (x.Exponent + 1);
        }
        else
        {
            lost = Rounding.ShiftRightSticky(x.Significand, -1 - x.Exponent);
        }
        inexact = lost != 0;
        if (inexact && Rounding.RoundsUp(mode, x.Negative, (magnitude & 1) != 0, lost, half))
            magnitude++;
        return true;
    }
}
