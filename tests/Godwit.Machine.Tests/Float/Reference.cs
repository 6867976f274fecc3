using System.Numerics;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Tests.Float;

/// <summary>A number's value with no rounding: Magnitude × 2^Exponent, negative or not.</summary>
/// <remarks>Where a division or a root doesn't end, Magnitude has hundreds of its bits and a one behind them.</remarks>
internal readonly record struct Exact(bool Negative, BigInteger Magnitude, int Exponent)
{
    public bool IsZero => Magnitude.IsZero;

    public BigInteger Signed => Negative ? -Magnitude : Magnitude;

    public static Exact From(BigInteger signed, int exponent) => new(signed.Sign < 0, BigInteger.Abs(signed), exponent);
}

/// <summary>A result and the flags it raises.</summary>
internal readonly record struct Outcome(ulong Bits, FloatFlags Flags);

/// <summary>IEEE 754 by the book, in numbers of any size: the tests' oracle. It shares no code with what it judges.</summary>
/// <param name="precision">With the leading one.</param>
internal sealed class Reference(int precision, int exponentBits)
{
    public static readonly Reference Binary32 = new(24, 8);
    public static readonly Reference Binary64 = new(53, 11);

    public int Precision => precision;

    public int MaxExponent { get; } = (1 << (exponentBits - 1)) - 1;

    public int MinExponent => 1 - MaxExponent;

    public ulong Sign { get; } = 1UL << (precision - 1 + exponentBits);

    public ulong Infinity { get; } = ((1UL << exponentBits) - 1) << (precision - 1);

    public ulong NaN => Infinity | (1UL << (precision - 2));

    public bool IsNaN(ulong bits) => (bits & (Sign - 1)) > Infinity;

    public bool IsSignaling(ulong bits) => IsNaN(bits) && (bits >> (precision - 2) & 1) == 0;

    public bool IsInfinity(ulong bits) => (bits & (Sign - 1)) == Infinity;

    public bool IsNegative(ulong bits) => (bits & Sign) != 0;

    public bool IsZero(ulong bits) => (bits & (Sign - 1)) == 0;

    /// <summary>Of a finite number.</summary>
    public Exact Value(ulong bits)
    {
        var fraction = bits & ((1UL << (precision - 1)) - 1);
        var field = (int)((bits & (Sign - 1)) >> (precision - 1));
        return field == 0
            ? new(IsNegative(bits), fraction, MinExponent - (precision - 1))
            : new(IsNegative(bits), fraction + (1UL << (precision - 1)), field - MaxExponent - (precision - 1));
    }

    public Outcome Add(ulong a, ulong b, RoundingMode mode)
    {
        if (IsNaN(a) || IsNaN(b))
            return new(NaN, Quietened(a, b));
        if (IsInfinity(a) && IsInfinity(b) && a != b)
            return new(NaN, FloatFlags.Invalid);
        if (IsInfinity(a) || IsInfinity(b))
            return new(IsInfinity(a) ? a : b, FloatFlags.None);
        return Sum(Value(a), Value(b), mode);
    }

    public Outcome Multiply(ulong a, ulong b, RoundingMode mode)
    {
        if (IsNaN(a) || IsNaN(b))
            return new(NaN, Quietened(a, b));
        var sign = (a ^ b) & Sign;
        if (IsInfinity(a) || IsInfinity(b))
            return IsZero(a) || IsZero(b) ? new(NaN, FloatFlags.Invalid) : new(sign | Infinity, FloatFlags.None);
        return Round(Product(a, b), mode);
    }

    public Outcome MultiplyAdd(ulong a, ulong b, ulong c, RoundingMode mode)
    {
        if ((IsInfinity(a) && IsZero(b)) || (IsZero(a) && IsInfinity(b)))
            return new(NaN, FloatFlags.Invalid);
        if (IsNaN(a) || IsNaN(b) || IsNaN(c))
            return new(NaN, Quietened(a, b) | Quietened(c, c));
        if (IsInfinity(a) || IsInfinity(b))
            return Add(((a ^ b) & Sign) | Infinity, c, mode);
        return IsInfinity(c) ? new(c, FloatFlags.None) : Sum(Product(a, b), Value(c), mode);
    }

    public Outcome Divide(ulong a, ulong b, RoundingMode mode)
    {
        if (IsNaN(a) || IsNaN(b))
            return new(NaN, Quietened(a, b));
        var sign = (a ^ b) & Sign;
        if ((IsInfinity(a) && IsInfinity(b)) || (IsZero(a) && IsZero(b)))
            return new(NaN, FloatFlags.Invalid);
        if (IsInfinity(a))
            return new(sign | Infinity, FloatFlags.None);
        if (IsZero(b))
            return new(sign | Infinity, FloatFlags.DivideByZero);
        if (IsInfinity(b))
            return new(sign, FloatFlags.None);
        var (x, y) = (Value(a), Value(b));
        var quotient = BigInteger.DivRem(x.Magnitude << 200, y.Magnitude, out var remainder);
        return Round(new(sign != 0, WithTail(quotient, remainder), x.Exponent - 200 - y.Exponent - 1), mode);
    }

    public Outcome SquareRoot(ulong a, RoundingMode mode)
    {
        if (IsNaN(a))
            return new(NaN, Quietened(a, a));
        if (IsZero(a))
            return new(a, FloatFlags.None);
        if (IsNegative(a))
            return new(NaN, FloatFlags.Invalid);
        if (IsInfinity(a))
            return new(a, FloatFlags.None);
        var x = Value(a);
        var shift = 200 + (x.Exponent & 1);
        var square = x.Magnitude << shift;
        var root = FloorRoot(square);
        return Round(new(Negative: false, WithTail(root, square - (root * root)), ((x.Exponent - shift) / 2) - 1), mode);
    }

    /// <summary>An exact value to this format; a zero keeps its sign.</summary>
    public Outcome Round(Exact x, RoundingMode mode)
    {
        var sign = x.Negative ? Sign : 0;
        if (x.IsZero)
            return new(sign, FloatFlags.None);
        var top = (int)x.Magnitude.GetBitLength() - 1 + x.Exponent;
        var normalUnit = top - (precision - 1);
        var unit = Math.Max(normalUnit, MinExponent - (precision - 1));
        var (count, inexact) = RoundTo(x, unit, mode);
        var flags = inexact ? FloatFlags.Inexact : FloatFlags.None;
        if (inexact && IsBelowNormal(RoundTo(x, normalUnit, mode).Count, normalUnit))
            flags |= FloatFlags.Underflow;
        if (count.GetBitLength() > precision)
        {
            count /= 2;
            unit++;
        }
        if (unit + precision - 1 > MaxExponent)
        {
            var away = mode is RoundingMode.NearestEven or RoundingMode.NearestMaxMagnitude || mode == (x.Negative ? RoundingMode.Down : RoundingMode.Up);
            return new(sign | (away ? Infinity : Infinity - 1), FloatFlags.Overflow | FloatFlags.Inexact);
        }
        var hidden = BigInteger.One << (precision - 1);
        return count < hidden
            ? new(sign | (ulong)count, flags)
            : new(sign | ((ulong)(unit + precision - 1 + MaxExponent) << (precision - 1)) | (ulong)(count - hidden), flags);
    }

    /// <summary>How many units of 2^unit, and whether that is not all.</summary>
    public static (BigInteger Count, bool Inexact) RoundTo(Exact x, int unit, RoundingMode mode)
    {
        var shift = unit - x.Exponent;
        if (shift <= 0)
            return (x.Magnitude << -shift, false);
        var count = x.Magnitude >> shift;
        var rest = x.Magnitude - (count << shift);
        if (rest.IsZero)
            return (count, false);
        var againstHalf = rest.CompareTo(BigInteger.One << (shift - 1));
        var away = mode switch
        {
            RoundingMode.NearestEven => againstHalf > 0 || (againstHalf == 0 && !count.IsEven),
            RoundingMode.NearestMaxMagnitude => againstHalf >= 0,
            RoundingMode.Up => !x.Negative,
            RoundingMode.Down => x.Negative,
            RoundingMode.TowardZero => false,
            _ => throw new ArgumentOutOfRangeException(nameof(mode)),
        };
        return (away ? count + 1 : count, true);
    }

    /// <summary>Invalid if either is a signaling NaN.</summary>
    public FloatFlags Quietened(ulong a, ulong b) => IsSignaling(a) || IsSignaling(b) ? FloatFlags.Invalid : FloatFlags.None;

    private bool IsBelowNormal(BigInteger count, int unit) => (int)count.GetBitLength() - 1 + unit < MinExponent;

    private Exact Product(ulong a, ulong b)
    {
        var (x, y) = (Value(a), Value(b));
        return new(x.Negative != y.Negative, x.Magnitude * y.Magnitude, x.Exponent + y.Exponent);
    }

    private Outcome Sum(Exact x, Exact y, RoundingMode mode)
    {
        if (x.IsZero && y.IsZero && x.Negative == y.Negative)
            return new(x.Negative ? Sign : 0, FloatFlags.None);
        var exponent = Math.Min(x.Exponent, y.Exponent);
        var sum = Exact.From((x.Signed << (x.Exponent - exponent)) + (y.Signed << (y.Exponent - exponent)), exponent);
        return sum.IsZero ? new(mode == RoundingMode.Down ? Sign : 0, FloatFlags.None) : Round(sum, mode);
    }

    private static BigInteger WithTail(BigInteger floor, BigInteger rest) => (floor << 1) + (rest.IsZero ? 0 : 1);

    private static BigInteger FloorRoot(BigInteger square)
    {
        // Newton's steps from above fall until they reach the floor.
        var root = BigInteger.One << (int)((square.GetBitLength() / 2) + 1);
        while (true)
        {
            var next = (root + (square / root)) >> 1;
            if (next >= root)
                return root;
            root = next;
        }
    }
}
