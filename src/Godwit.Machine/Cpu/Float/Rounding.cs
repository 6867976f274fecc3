using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>From an exact result, or one with a sticky lowest bit, to a format's bits.</summary>
internal static class Rounding
{
    /// <summary>Whether what is lost, in units where the last kept bit is twice <paramref name="half"/>, rounds the magnitude up.</summary>
    /// <param name="lost">Not zero: nothing lost is never rounded.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool RoundsUp(RoundingMode mode, bool negative, bool odd, ulong lost, ulong half) => mode switch
    {
        RoundingMode.NearestEven => lost > half || (lost == half && odd),
        RoundingMode.NearestMaxMagnitude => lost >= half,
        RoundingMode.Down => negative,
        RoundingMode.Up => !negative,
        _ => false,
    };

    /// <summary>Shifts right; bits that fall off leave a one in the lowest bit, for rounding to see.</summary>
    /// <param name="count">0 or more, of any size.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ShiftRightSticky(ulong value, int count)
    {
        if (count > 63)
            return value != 0 ? 1UL : 0;
        var shifted = value >> count;
        return shifted << count == value ? shifted : shifted | 1;
    }

    /// <summary>Rounds <c>±significand × 2^(exponent − 63)</c> and raises Inexact, Underflow and Overflow as due.</summary>
    /// <param name="significand">With bit 63 set; the lowest bit may be sticky.</param>
    public static ulong Pack<T>(bool negative, int exponent, ulong significand, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        var drop = 63 - T.FractionBits;
        var lostMask = (1UL << drop) - 1;
        var half = 1UL << (drop - 1);
        var field = exponent + FloatFormat<T>.Bias;
        var tiny = false;
        if (field < 1)
        {
            tiny = field < 0 || !RoundsToNextPower<T>(significand, negative, mode);
            significand = ShiftRightSticky(significand, 1 - field);
            field = 1;
        }
        if (field >= FloatFormat<T>.MaxExponentField)
            return Overflow<T>(negative, mode, ref flags);

        // The kept leading one adds one to the exponent field; a carry out of rounding, one more.
        var kept = significand >> drop;
        var lost = significand & lostMask;
        if (lost != 0)
        {
            flags |= tiny ? FloatFlags.Inexact | FloatFlags.Underflow : FloatFlags.Inexact;
            if (RoundsUp(mode, negative, (kept & 1) != 0, lost, half))
                kept++;
        }
        var bits = ((ulong)(field - 1) << T.FractionBits) + kept;
        return bits >= FloatFormat<T>.Infinity ? Overflow<T>(negative, mode, ref flags) : bits | FloatFormat<T>.Zero(negative);
    }

    /// <summary>Tininess is judged after rounding to full precision: just below the least normal number may round up to it.</summary>
    private static bool RoundsToNextPower<T>(ulong significand, bool negative, RoundingMode mode)
        where T : struct, IFloatFormat
    {
        var drop = 63 - T.FractionBits;
        var lost = significand & ((1UL << drop) - 1);
        var allOnes = significand >> drop == (FloatFormat<T>.MinNormal << 1) - 1;
        return allOnes && lost != 0 && RoundsUp(mode, negative, odd: true, lost, 1UL << (drop - 1));
    }

    private static ulong Overflow<T>(bool negative, RoundingMode mode, ref FloatFlags flags)
        where T : struct, IFloatFormat
    {
        flags |= FloatFlags.Overflow | FloatFlags.Inexact;
        var toInfinity = RoundsUp(mode, negative, odd: true, lost: 1, half: 1);
        return FloatFormat<T>.Zero(negative) | (toInfinity ? FloatFormat<T>.Infinity : FloatFormat<T>.Infinity - 1);
    }
}
