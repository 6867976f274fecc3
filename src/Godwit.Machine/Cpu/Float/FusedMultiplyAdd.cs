using System.Numerics;
using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>a × b + c with one rounding: the product is kept whole, in 128 bits.</summary>
internal static class FusedMultiplyAdd
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Compute<T>(ulong a, ulong b, ulong c, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var x = Unpacked.From<T>(a);
        var y = Unpacked.From<T>(b);
        var z = Unpacked.From<T>(c);
        var negative = x.Negative != y.Negative;
        if (!x.IsFinite || !y.IsFinite || z.IsInfinity || z.IsNaN)
            return Special<T>(x, y, c, z, mode, ref flags);

        var high = Math.BigMul(x.Significand, y.Significand, out var low);
        var exponent = x.Exponent + y.Exponent + 1;
        if ((long)high >= 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }
        return z.IsZero
            ? Rounding.Pack<T>(negative, exponent, high | (low != 0 ? 1UL : 0), mode, ref flags)
            : Sum<T>(negative, exponent, new UInt128(high, low), z, mode, ref flags);
    }

    /// <summary>The product, with bit 127 set and at least its low 22 bits zero, and a finite addend.</summary>
    private static ulong Sum<T>(bool negative, int exponent, UInt128 product, Unpacked addend, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var large = product >> 1;
        var small = new UInt128(addend.Significand >> 1, 0);
        var distance = exponent - addend.Exponent;
        var subtract = negative != addend.Negative;
        if (distance < 0 || (distance == 0 && large < small))
        {
            (large, small) = (small, large);
            distance = -distance;
            exponent = addend.Exponent;
            negative = addend.Negative;
        }
        small = ShiftRightSticky(small, distance);
        var sum = subtract ? large - small : large + small;
        if (sum == UInt128.Zero)
            return FloatFormat<T>.Zero(mode == RoundingMode.Down);

        var zeros = BitOperations.LeadingZeroCount((ulong)(sum >> 64));
        if (zeros == 64)
            zeros += BitOperations.LeadingZeroCount((ulong)sum);
        sum <<= zeros;
        var significand = (ulong)(sum >> 64) | ((ulong)sum != 0 ? 1UL : 0);
        return Rounding.Pack<T>(negative, exponent + 1 - zeros, significand, mode, ref flags);
    }

    private static ulong Special<T>(Unpacked x, Unpacked y, ulong c, Unpacked z, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        // Invalid even beside a quiet NaN as addend, as RISC-V has it.
        if ((x.IsInfinity && y.IsZero) || (x.IsZero && y.IsInfinity))
            return FloatFormat<T>.Invalid(ref flags);
        if (x.IsNaN || y.IsNaN || z.IsNaN)
            return Arithmetic.NaN<T>(x.IsSignalingNaN || y.IsSignalingNaN || z.IsSignalingNaN, ref flags);

        // An infinity or a zero is left. A finite product beside an infinite addend counts for nothing: zero stands for it.
        var negative = x.Negative != y.Negative;
        var product = x.IsInfinity || y.IsInfinity ? Arithmetic.Infinity<T>(negative) : FloatFormat<T>.Zero(negative);
        return Arithmetic.AddSpecial<T>(product, Unpacked.From<T>(product), c, z, mode, ref flags);
    }

    private static UInt128 ShiftRightSticky(UInt128 value, int count)
    {
        if (count > 127)
            return value != UInt128.Zero ? UInt128.One : UInt128.Zero;
        var shifted = value >> count;
        return shifted << count == value ? shifted : shifted | UInt128.One;
    }
}
