using System.Numerics;
using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>The arithmetic operations in integers: any format, any rounding, all flags.</summary>
internal static class Arithmetic
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Add<T>(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var y = Unpacked.From<T>(b);
        if (!x.IsFinite || !y.IsFinite)
            return AddSpecial<T>(a, x, b, y, mode, ref flags);
        if (x.Exponent < y.Exponent || (x.Exponent == y.Exponent && x.Significand < y.Significand))
            (x, y) = (y, x);

        // One bit of room for the carry: the lowest bit is zero before alignment.
        var large = x.Significand >> 1;
        var small = Rounding.ShiftRightSticky(y.Significand >> 1, x.Exponent - y.Exponent);
        var sum = x.Negative == y.Negative ? large + small : large - small;
        if (sum == 0)
            return FloatFormat<T>.Zero(mode == RoundingMode.Down);
        var zeros = BitOperations.LeadingZeroCount(sum);
        return Rounding.Pack<T>(x.Negative, x.Exponent + 1 - zeros, sum << zeros, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Multiply<T>(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var y = Unpacked.From<T>(b);
        var negative = x.Negative != y.Negative;
        if (x.IsFinite && y.IsFinite)
        {
            var product = Math.BigMul(x.Significand, y.Significand, out var low);
            var zeros = BitOperations.LeadingZeroCount(product);
            if (low != 0)
                product |= 1;
            return Rounding.Pack<T>(negative, x.Exponent + y.Exponent + 1 - zeros, product << zeros, mode, ref flags);
        }
        if (x.IsNaN || y.IsNaN)
            return NaN<T>(x.IsSignalingNaN || y.IsSignalingNaN, ref flags);
        if (x.IsInfinity || y.IsInfinity)
            return x.IsZero || y.IsZero ? FloatFormat<T>.Invalid(ref flags) : Infinity<T>(negative);
        return FloatFormat<T>.Zero(negative);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Divide<T>(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var y = Unpacked.From<T>(b);
        var negative = x.Negative != y.Negative;
        if (x.IsFinite && y.IsFinite)
        {
            var less = x.Significand < y.Significand ? 1 : 0;
            var quotient = Quotient(x.Significand >> (11 - less), y.Significand >> 11);
            return Rounding.Pack<T>(negative, x.Exponent - y.Exponent - less, quotient, mode, ref flags);
        }
        if (x.IsNaN || y.IsNaN)
            return NaN<T>(x.IsSignalingNaN || y.IsSignalingNaN, ref flags);
        if (x.IsInfinity)
            return y.IsInfinity ? FloatFormat<T>.Invalid(ref flags) : Infinity<T>(negative);
        if (y.IsZero)
        {
            if (x.IsZero)
                return FloatFormat<T>.Invalid(ref flags);
            flags |= FloatFlags.DivideByZero;
            return Infinity<T>(negative);
        }
        return FloatFormat<T>.Zero(negative);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong SquareRoot<T>(ulong a, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        if (x.IsNaN)
            return NaN<T>(x.IsSignalingNaN, ref flags);
        if (x.IsZero)
            return a;
        if (x.Negative)
            return FloatFormat<T>.Invalid(ref flags);
        if (x.IsInfinity)
            return a;
        var odd = x.Exponent & 1;
        return Rounding.Pack<T>(negative: false, (x.Exponent - odd) >> 1, Root(x.Significand >> (11 - odd)), mode, ref flags);
    }

    /// <summary>The NaN that a NaN operand gives.</summary>
    public static ulong NaN<T>(bool signaling, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        return signaling ? FloatFormat<T>.Invalid(ref flags) : FloatFormat<T>.CanonicalNaN;
    }

    /// <summary>A sum of which at least one term is no finite nonzero number.</summary>
    public static ulong AddSpecial<T>(ulong a, Unpacked x, ulong b, Unpacked y, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        if (x.IsNaN || y.IsNaN)
            return NaN<T>(x.IsSignalingNaN || y.IsSignalingNaN, ref flags);
        if (x.IsInfinity)
            return y.IsInfinity && x.Negative != y.Negative ? FloatFormat<T>.Invalid(ref flags) : a;
        if (!y.IsZero)
            return b;
        if (!x.IsZero)
            return a;
        return FloatFormat<T>.Zero(x.Negative == y.Negative ? x.Negative : mode == RoundingMode.Down);
    }

    public static ulong Infinity<T>(bool negative)
        where T : struct, IFloatFormat
    {
        return FloatFormat<T>.Zero(negative) | FloatFormat<T>.Infinity;
    }

    /// <summary>
    /// The quotient with bit 63 set and a sticky end. The host's division is within half a unit of 2^-52 of it, and never exactly half;
    /// the sign of the exact remainder then tells on which side the truth is. The remainder is less than 2^53, so wrapping does no harm.
    /// </summary>
    /// <param name="numerator">At least the denominator, less than twice it.</param>
    /// <param name="denominator">In [2^52, 2^53).</param>
    private static ulong Quotient(ulong numerator, ulong denominator)
    {
        var quotient = (ulong)(long)((long)numerator * (double)(1L << 52) / (long)denominator);
        return Beside(quotient, (long)((numerator << 52) - (quotient * denominator)));
    }

    /// <summary>The square root of <paramref name="square"/> × 2^52 in the same manner: here the remainder is less than 2^54.</summary>
    /// <param name="square">In [2^52, 2^54).</param>
    private static ulong Root(ulong square)
    {
        var root = (ulong)(long)Math.Sqrt((long)square * (double)(1L << 52));
        return Beside(root, (long)((square << 52) - (root * root)));
    }

    private static ulong Beside(ulong nearest, long remainder) => (nearest << 11) + (ulong)Math.Sign(remainder);
}
