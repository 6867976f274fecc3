using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>Conversions to integers saturate: what doesn't fit is Invalid and not Inexact, and a NaN becomes the greatest integer.</summary>
public static partial class Float64
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ToInt32(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is > -2147483648.0 and < 2147483648.0)
        {
            var whole = (int)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return whole;
        }
        return (int)Conversion.ToSigned<Binary64>(a, 32, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ToUInt32(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is >= 0 and < 4294967296.0)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return (uint)whole;
        }
        return (uint)Conversion.ToUnsigned<Binary64>(a, 32, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ToInt64(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is > -9223372036854775808.0 and < 9223372036854775808.0)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return whole;
        }
        return Conversion.ToSigned<Binary64>(a, 64, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToUInt64(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is >= 0 and < 9223372036854775808.0)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return (ulong)whole;
        }
        return Conversion.ToUnsigned<Binary64>(a, 64, mode, ref flags);
    }

    /// <summary>fcvtmod.w.d: towards zero and modulo 2^32; what a signed 32-bit integer doesn't hold is Invalid all the same.</summary>
    public static int ToInt32Modular(ulong a, ref FloatFlags flags) => Conversion.ToInt32Modular<Binary64>(a, ref flags);

    /// <summary>Always exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromInt32(int integer, RoundingMode mode, ref FloatFlags flags) => Bits(integer);

    /// <summary>Always exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromUInt32(uint integer, RoundingMode mode, ref FloatFlags flags) => Bits((long)integer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromInt64(long integer, RoundingMode mode, ref FloatFlags flags)
    {
        return IsExact(integer) || HostFloat.Rounds(mode, flags)
            ? Bits(integer)
            : Conversion.FromInteger<Binary64>(integer < 0, Magnitude(integer), mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromUInt64(ulong integer, RoundingMode mode, ref FloatFlags flags)
    {
        return integer <= 1UL << 53
            ? Bits((long)integer)
            : Conversion.FromInteger<Binary64>(negative: false, integer, mode, ref flags);
    }

    /// <summary>Exact for every number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromFloat32(uint a, ref FloatFlags flags)
    {
        var number = BitConverter.UInt32BitsToSingle(a);
        return float.IsNaN(number) ? Conversion.Convert<Binary32, Binary64>(a, RoundingMode.NearestEven, ref flags) : Bits(number);
    }

    private static ulong Magnitude(long integer) => (ulong)(integer < 0 ? -integer : integer);

    /// <summary>Whether the truncated number is the answer: it was whole, or truncation is what is asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsTruncated(bool whole, RoundingMode mode, ref FloatFlags flags)
    {
        if (whole)
            return true;
        if (mode != RoundingMode.TowardZero)
            return false;
        flags |= FloatFlags.Inexact;
        return true;
    }

    /// <summary>Whether an integer has no more bits than the format's precision: then the host's conversion is exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsExact(long integer) => (ulong)(integer + (1L << 53)) <= 1UL << (53 + 1);
}
