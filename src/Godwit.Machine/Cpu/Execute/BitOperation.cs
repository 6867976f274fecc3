using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>What Zbb and Zbc compute beyond a single host instruction, and M's special cases.</summary>
internal static class BitOperation
{
    /// <summary>Each byte that isn't zero becomes 0xff.</summary>
    public static ulong OrCombine(ulong value)
    {
        const ulong Low7 = 0x7f7f7f7f7f7f7f7f;
        var top = (((value & Low7) + Low7) | value) & ~Low7;
        return (top >> 7) * 0xff;
    }

    /// <summary>The 128-bit product without carries.</summary>
    public static (ulong High, ulong Low) MultiplyCarryless(ulong a, ulong b)
    {
        if (Pclmulqdq.IsSupported)
        {
            var product = Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(a), Vector128.CreateScalar(b), 0);
            return (product[1], product[0]);
        }

        ulong high = 0, low = 0;
        for (var n = 0; n < 64; n++)
        {
            if (((b >> n) & 1) == 0)
                continue;
            low ^= a << n;
            high ^= n == 0 ? 0 : a >> (64 - n);
        }

        return (high, low);
    }

    public static ulong MultiplyHighSignedUnsigned(ulong a, ulong b) =>
        Math.BigMul(a, b, out _) - ((long)a < 0 ? b : 0);

    public static ulong Divide(ulong a, ulong b)
    {
        if (b == 0)
            return ulong.MaxValue;
        return (long)a == long.MinValue && (long)b == -1 ? a : (ulong)((long)a / (long)b);
    }

    public static ulong Remainder(ulong a, ulong b)
    {
        if (b == 0)
            return a;
        return (long)b == -1 ? 0 : (ulong)((long)a % (long)b);
    }

    public static ulong DivideWord(ulong a, ulong b)
    {
        int x = (int)a, y = (int)b;
        if (y == 0)
            return ulong.MaxValue;
        return (ulong)(long)(x == int.MinValue && y == -1 ? x : x / y);
    }

    public static ulong RemainderWord(ulong a, ulong b)
    {
        int x = (int)a, y = (int)b;
        if (y == 0)
            return (ulong)(long)x;
        return y == -1 ? 0 : (ulong)(long)(x % y);
    }

    public static ulong DivideUnsignedWord(ulong a, ulong b)
    {
        uint x = (uint)a, y = (uint)b;
        return y == 0 ? ulong.MaxValue : SignExtend(x / y);
    }

    public static ulong RemainderUnsignedWord(ulong a, ulong b)
    {
        uint x = (uint)a, y = (uint)b;
        return SignExtend(y == 0 ? x : x % y);
    }

    public static ulong RotateLeftWord(ulong a, ulong by) => SignExtend(BitOperations.RotateLeft((uint)a, (int)by & 31));

    public static ulong RotateRightWord(ulong a, ulong by) => SignExtend(BitOperations.RotateRight((uint)a, (int)by & 31));

    public static ulong SignExtend(uint value) => (ulong)(int)value;
}
