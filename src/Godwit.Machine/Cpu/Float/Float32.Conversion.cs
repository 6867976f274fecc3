using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>Conversions to integers saturate: what doesn't fit is Invalid and not Inexact, and a NaN becomes the greatest integer.</summary>
public static partial class Float32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ToInt32(uint a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is > -2147483648f and < 2147483648f)
        {
            var whole = (int)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return whole;
        }
        return (int)Conversion.ToSigned<Binary32>(a, 32, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ToUInt32(uint a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is >= 0 and < 4294967296f)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return (uint)whole;
        }
        return (uint)Conversion.ToUnsigned<Binary32>(a, 32, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ToInt64(uint a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is > -9223372036854775808f and < 9223372036854775808f)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return whole;
        }
        return Conversion.ToSigned<Binary32>(a, 64, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToUInt64(uint a, RoundingMode mode, ref FloatFlags flags)
    {
        var number = Host(a);
        if (number is >= 0 and < 9223372036854775808f)
        {
            var whole = (long)number;
            if (IsTruncated(whole == number, mode, ref flags))
                return (ulong)whole;
        }
        return Conversion.ToUnsigned<Binary32>(a, 64, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromInt32(int integer, RoundingMode mode, ref FloatFlags flags) => FromInt64(integer, mode, ref flags);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromUInt32(uint integer, RoundingMode mode, ref FloatFlags flags) => FromInt64(integer, mode, ref flags);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromInt64(long integer, RoundingMode mode, ref FloatFlags flags)
    {
        return IsExact(integer)
            ? Bits((int)integer)
            : (uint)Conversion.FromInteger<Binary32>(integer < 0, Magnitude(integer), mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromUInt64(ulong integer, RoundingMode mode, ref FloatFlags flags)
    {
        return integer <= 1UL << 24
            ? Bits((int)integer)
            : (uint)Conversion.FromInteger<Binary32>(negative: false, integer, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromFloat64(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        var wide = BitConverter.UInt64BitsToDouble(a);
        var narrow = (float)wide;
        if (narrow == wide || (HostFloat.Rounds(mode, flags) && IsWellNormal(Bits(narrow))))
            return Bits(narrow);
        return (uint)Conversion.Convert<Binary64, Binary32>(a, mode, ref flags);
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
    private static bool IsExact(long integer) => (ulong)(integer + (1L << 24)) <= 1UL << (24 + 1);
}
