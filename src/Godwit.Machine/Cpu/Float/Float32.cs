using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu.Float;

/// <summary>IEEE 754 binary32 numbers as their raw bits, with the results and flags of RISC-V's F extension and Zfa.</summary>
/// <remarks>Every NaN that comes out is the canonical one. Flags are added to those given.</remarks>
public static partial class Float32
{
    private const uint SignBit = 0x8000_0000;
    private const uint Infinity = 0x7f80_0000;
    private const uint MinNormal = 0x0080_0000;

    public const uint CanonicalNaN = 0x7fc0_0000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint a, uint b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var sum = Bits(Host(a) + Host(b));
            if (IsFinite(sum))
                return sum;
        }
        return (uint)Arithmetic.Add<Binary32>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Subtract(uint a, uint b, RoundingMode mode, ref FloatFlags flags) => Add(a, b ^ SignBit, mode, ref flags);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Multiply(uint a, uint b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var product = Bits(Host(a) * Host(b));
            if (IsWellNormal(product))
                return product;
        }
        return (uint)Arithmetic.Multiply<Binary32>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Divide(uint a, uint b, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var quotient = Bits(Host(a) / Host(b));
            if (IsWellNormal(quotient))
                return quotient;
        }
        return (uint)Arithmetic.Divide<Binary32>(a, b, mode, ref flags);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint SquareRoot(uint a, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.Rounds(mode, flags))
        {
            var root = Bits(MathF.Sqrt(Host(a)));
            if (IsFinite(root))
                return root;
        }
        return (uint)Arithmetic.SquareRoot<Binary32>(a, mode, ref flags);
    }

    /// <summary>a × b + c, rounded once. Infinity times zero is Invalid even if c is a quiet NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint MultiplyAdd(uint a, uint b, uint c, RoundingMode mode, ref FloatFlags flags)
    {
        if (HostFloat.HasFusedMultiplyAdd && HostFloat.Rounds(mode, flags))
        {
            var sum = Bits(MathF.FusedMultiplyAdd(Host(a), Host(b), Host(c)));
            if (IsWellNormal(sum))
                return sum;
        }
        return (uint)FusedMultiplyAdd.Compute<Binary32>(a, b, c, mode, ref flags);
    }

    /// <summary>fround, or with <paramref name="exact"/> froundnx: to a whole number; one that isn't whole raises Inexact only then.</summary>
    public static uint Round(uint a, RoundingMode mode, bool exact, ref FloatFlags flags)
    {
        return (uint)Conversion.Round<Binary32>(a, mode, exact, ref flags);
    }

    /// <summary>What fli loads.</summary>
    /// <param name="index">0 to 31; higher bits count for nothing.</param>
    public static uint LoadImmediate(int index) => (index & 31) switch
    {
        LoadableNumbers.MinNormal => MinNormal,
        LoadableNumbers.NaN => CanonicalNaN,
        var other => Bits((float)LoadableNumbers.Values[other]),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Host(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Bits(float number) => BitConverter.SingleToUInt32Bits(number);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsFinite(uint bits) => (bits & ~SignBit) < Infinity;

    /// <summary>Finite and beyond the least normal number: that one itself may have been tiny before it was rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWellNormal(uint bits) => (bits & ~SignBit) - (MinNormal + 1) < Infinity - (MinNormal + 1);
}
