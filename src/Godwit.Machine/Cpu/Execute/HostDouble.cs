using System.Runtime.CompilerServices;
using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>The commonest instructions of D where the host's floating point gives result and flags; see <see cref="HostFloat"/>.
/// All give false, and have done nothing, where <see cref="DoubleUnit"/> must decide.</summary>
internal static class HostDouble
{
    private const ulong SignBit = 1UL << 63;
    private const int Dynamic = 7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryAdd(HartState s, in Instruction i) =>
        Rounds(s, in i) && TrySetFinite(s, in i, A(s, in i) + B(s, in i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TrySubtract(HartState s, in Instruction i) =>
        Rounds(s, in i) && TrySetFinite(s, in i, A(s, in i) - B(s, in i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMultiply(HartState s, in Instruction i) =>
        Rounds(s, in i) && TrySetNormal(s, in i, A(s, in i) * B(s, in i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDivide(HartState s, in Instruction i) =>
        Rounds(s, in i) && TrySetNormal(s, in i, A(s, in i) / B(s, in i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TrySquareRoot(HartState s, in Instruction i) =>
        Rounds(s, in i) && TrySetFinite(s, in i, Math.Sqrt(A(s, in i)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMultiplyAdd(HartState s, in Instruction i) =>
        HostFloat.HasFusedMultiplyAdd && Rounds(s, in i)
        && TrySetNormal(s, in i, Math.FusedMultiplyAdd(A(s, in i), B(s, in i), C(s, in i)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMultiplySubtract(HartState s, in Instruction i) =>
        HostFloat.HasFusedMultiplyAdd && Rounds(s, in i)
        && TrySetNormal(s, in i, Math.FusedMultiplyAdd(A(s, in i), B(s, in i), -C(s, in i)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryNegatedMultiplySubtract(HartState s, in Instruction i) =>
        HostFloat.HasFusedMultiplyAdd && Rounds(s, in i)
        && TrySetNormal(s, in i, Math.FusedMultiplyAdd(-A(s, in i), B(s, in i), C(s, in i)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryNegatedMultiplyAdd(HartState s, in Instruction i) =>
        HostFloat.HasFusedMultiplyAdd && Rounds(s, in i)
        && TrySetNormal(s, in i, Math.FusedMultiplyAdd(-A(s, in i), B(s, in i), -C(s, in i)));

    /// <summary>fsgnj.d, mostly a move.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCopySign(HartState s, in Instruction i)
    {
        if (!IsDirty(s))
            return false;
        s.F[i.Rd] = (s.F[i.Rs1] & ~SignBit) | (s.F[i.Rs2] & SignBit);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Rounds(HartState s, in Instruction i) =>
        HostFloat.Rounds(RoundingMode.NearestEven, (FloatFlags)s.Fflags)
        && (i.RoundingMode == 0 || (i.RoundingMode == Dynamic && s.Frm == 0))
        && IsDirty(s);

    // Floating point is on, and mstatus says already that its registers changed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsDirty(HartState s) => (s.Mstatus & Status.Fs) == Status.Fs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double A(HartState s, in Instruction i) => BitConverter.UInt64BitsToDouble(s.F[i.Rs1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double B(HartState s, in Instruction i) => BitConverter.UInt64BitsToDouble(s.F[i.Rs2]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double C(HartState s, in Instruction i) => BitConverter.UInt64BitsToDouble(s.F[i.Rs3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySetFinite(HartState s, in Instruction i, double result)
    {
        var bits = BitConverter.DoubleToUInt64Bits(result);
        if (!Float64.IsFinite(bits))
            return false;
        s.F[i.Rd] = bits;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySetNormal(HartState s, in Instruction i, double result)
    {
        var bits = BitConverter.DoubleToUInt64Bits(result);
        if (!Float64.IsWellNormal(bits))
            return false;
        s.F[i.Rd] = bits;
        return true;
    }
}
