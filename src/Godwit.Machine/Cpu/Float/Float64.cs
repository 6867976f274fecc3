using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>IEEE 754 binary64 numbers as their raw bits, with the results and flags of RISC-V's D extension and Zfa.</summary>
/// <remarks>Every NaN that comes out is the canonical one. Flags are added to those given.</remarks>
public static partial class Float64
{
    private const ulong SignBit = 0x8000_0000_0000_0000;
    private const ulong Infinity = 0x7ff0_0000_0000_0000;
    private const ulong MinNormal = 0x0010_0000_0000_0000;

    public const ulong CanonicalNaN = 0x7ff8_0000_0000_0000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var sum = Bits(Host(a) + Host(b));
            if (IsFinite(sum))
                return sum;
        }
        return Arithmetic.Add<Binary64>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Subtract(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags) => Add(a, b ^ SignBit, mode, ref flags);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Multiply(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var product = Bits(Host(a) * Host(b));
            if (IsWellNormal(product))
                return product;
        }
        return Arithmetic.Multiply<Binary64>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Divide(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var quotient = Bits(Host(a) / Host(b));
            if (IsWellNormal(quotient))
                return quotient;
        }
        return Arithmetic.Divide<Binary64>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SquareRoot(ulong a, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var root = Bits(Math.Sqrt(Host(a)));
            if (IsFinite(root))
                return root;
        }
        return Arithmetic.SquareRoot<Binary64>(a, mode, ref flags);
    }

    /// <summary>a × b + c, rounded once. Infinity times zero is Invalid even if c is a quiet NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MultiplyAdd(ulong a, ulong b, ulong c, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.HasFusedMultiplyAdd && HostFloat.Rounds(mode, flags))
        {
            var sum = Bits(Math.FusedMultiplyAdd(Host(a), Host(b), Host(c)));
            if (IsWellNormal(sum))
                return sum;
        }
        return FusedMultiplyAdd.Compute<Binary64>(a, b, c, mode, ref flags);
    }

    /// <summary>fround, or with <paramref name="exact"/> froundnx: to a whole number; one that isn't whole raises Inexact only then.</summary>
    public static ulong Round(ulong a, RoundingMode mode, bool exact, ref FloatFlags flags)
    {
        return Conversion.Round<Binary64>(a, mode, exact, ref flags);
    }

    /// <summary>What fli loads.</summary>
    /// <param name="index">0 to 31; higher bits count for nothing.</param>
    public static ulong LoadImmediate(int index) => (index & 31) switch
    {
        LoadableNumbers.MinNormal => MinNormal,
        LoadableNumbers.NaN => CanonicalNaN,
        var other => Bits(LoadableNumbers.Values[other]),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Host(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Bits(double number) => BitConverter.DoubleToUInt64Bits(number);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsFinite(ulong bits) => (bits & ~SignBit) < Infinity;

    /// <summary>Finite and beyond the least normal number: that one itself may have been tiny before it was rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsWellNormal(ulong bits) => (bits & ~SignBit) - (MinNormal + 1) < Infinity - (MinNormal + 1);
}
