using System.Numerics;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Tests.Float;

public sealed class ConversionTests
{
    private const int Count = 40_000;

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Integers_are_rounded_and_saturate(int width)
    {
        var subject = Subject.Of(width);
        foreach (var a in Numbers(subject.Reference, 11))
        {
            foreach (var mode in Subject.Modes)
            {
                Agreement.Check(subject.ToInt32, a, mode, ToInteger(subject.Reference, a, mode, int.MinValue, int.MaxValue));
                Agreement.Check(subject.ToUInt32, a, mode, ToInteger(subject.Reference, a, mode, 0, uint.MaxValue));
                Agreement.Check(subject.ToInt64, a, mode, ToInteger(subject.Reference, a, mode, long.MinValue, long.MaxValue));
                Agreement.Check(subject.ToUInt64, a, mode, ToInteger(subject.Reference, a, mode, 0, ulong.MaxValue));
            }
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Integers_become_the_nearest_numbers(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 12);
        for (var i = 0; i < Count; i++)
        {
            var n = operands.Integer();
            foreach (var mode in Subject.Modes)
            {
                Agreement.Check(subject.FromInt32, n, mode, subject.Reference.Round(Exact.From((int)n, 0), mode));
                Agreement.Check(subject.FromUInt32, n, mode, subject.Reference.Round(Exact.From((uint)n, 0), mode));
                Agreement.Check(subject.FromInt64, n, mode, subject.Reference.Round(Exact.From((long)n, 0), mode));
                Agreement.Check(subject.FromUInt64, n, mode, subject.Reference.Round(Exact.From(n, 0), mode));
            }
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Whole_numbers_are_rounded_in_place(int width)
    {
        var subject = Subject.Of(width);
        foreach (var a in Numbers(subject.Reference, 13))
        {
            foreach (var mode in Subject.Modes)
            {
                var expected = Whole(subject.Reference, a, mode);
                Agreement.Check(subject.RoundExact, a, mode, expected);
                Agreement.Check(subject.Round, a, mode, expected with { Flags = expected.Flags & ~FloatFlags.Inexact });
            }
        }
    }

    [Fact]
    public void Wide_numbers_are_rounded_to_narrow_ones()
    {
        var (wide, narrow) = (Reference.Binary64, Reference.Binary32);
        var operands = new Operands(wide, 14);
        var random = new Random(14);
        for (var i = 0; i < 2 * Count; i++)
        {
            // Half of them around what the narrow format reaches, its subnormals and its overflow.
            var a = operands.One();
            if (i % 2 == 0)
                a = (a & ~wide.Infinity) | ((ulong)random.Next(1023 - 160, 1023 + 135) << 52);
            foreach (var mode in Subject.Modes)
            {
                var expected = wide.IsNaN(a) ? new(narrow.NaN, wide.Quietened(a, a))
                    : wide.IsInfinity(a) ? new((wide.IsNegative(a) ? narrow.Sign : 0) | narrow.Infinity, FloatFlags.None)
                    : narrow.Round(wide.Value(a), mode);
                Agreement.Check((ulong n, RoundingMode m, ref FloatFlags f) => Float32.FromFloat64(n, m, ref f), a, mode, expected);
            }
        }
    }

    [Fact]
    public void Narrow_numbers_widen_exactly()
    {
        var (wide, narrow) = (Reference.Binary64, Reference.Binary32);
        foreach (var a in Numbers(narrow, 15))
        {
            var expected = narrow.IsNaN(a) ? new(wide.NaN, narrow.Quietened(a, a))
                : narrow.IsInfinity(a) ? new((narrow.IsNegative(a) ? wide.Sign : 0) | wide.Infinity, FloatFlags.None)
                : wide.Round(narrow.Value(a), RoundingMode.TowardZero);
            Assert.False(expected.Flags.HasFlag(FloatFlags.Inexact));
            Agreement.Check((ulong n, RoundingMode _, ref FloatFlags f) => Float64.FromFloat32((uint)n, ref f), a, RoundingMode.NearestEven, expected);
        }
    }

    [Fact]
    public void A_modular_conversion_keeps_the_low_bits_and_a_saturating_ones_flags()
    {
        var wide = Reference.Binary64;
        foreach (var a in Numbers(wide, 16))
        {
            var flags = ToInteger(wide, a, RoundingMode.TowardZero, int.MinValue, int.MaxValue).Flags;
            var finite = !wide.IsNaN(a) && !wide.IsInfinity(a);
            var whole = finite ? Truncated(wide.Value(a)) : 0;
            var low = (int)(uint)(whole & uint.MaxValue);
            Agreement.Check((ulong n, RoundingMode _, ref FloatFlags f) => (ulong)Float64.ToInt32Modular(n, ref f), a, RoundingMode.TowardZero, new((ulong)low, flags));
        }

        static BigInteger Truncated(Exact x)
        {
            var count = Reference.RoundTo(x, 0, RoundingMode.TowardZero).Count;
            return x.Negative ? -count : count;
        }
    }

    /// <summary>Zfa's table, as the instruction set manual prints it.</summary>
    [Fact]
    public void Loadable_numbers_are_those_of_the_manual()
    {
        double[] manual =
        [
            -1, 0, Math.ScaleB(1, -16), Math.ScaleB(1, -15), Math.ScaleB(1, -8), Math.ScaleB(1, -7), 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375,
            0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256, Math.ScaleB(1, 15), Math.ScaleB(1, 16), double.PositiveInfinity,
        ];
        for (var i = 0; i < manual.Length; i++)
        {
            var (narrow, wide) = i == 1 ? (0x00800000u, 0x0010000000000000UL)
                : (BitConverter.SingleToUInt32Bits((float)manual[i]), BitConverter.DoubleToUInt64Bits(manual[i]));
            Assert.Equal(narrow, Float32.LoadImmediate(i));
            Assert.Equal(wide, Float64.LoadImmediate(i));
        }
        Assert.Equal(0x7fc00000u, Float32.LoadImmediate(31));
        Assert.Equal(0x7ff8000000000000UL, Float64.LoadImmediate(31));
    }

    /// <summary>The specials, every whole number, half and quarter near zero, integers' limits and their neighbours, and random ones.</summary>
    private static IEnumerable<ulong> Numbers(Reference format, int seed)
    {
        var operands = new Operands(format, seed);
        foreach (var a in Operands.Specials(format))
            yield return a;
        for (var quarters = -64; quarters <= 64; quarters++)
            yield return format.Round(Exact.From(quarters, -2), RoundingMode.NearestEven).Bits;
        foreach (var power in (int[])[31, 32, 63, 64, 84, 85, 94, 95, 96])
        {
            for (var step = -3; step <= 3; step++)
            {
                var near = format.Round(Exact.From(BigInteger.One << power, 0), RoundingMode.NearestEven).Bits + (ulong)step;
                yield return near;
                yield return near | format.Sign;
                yield return format.Round(Exact.From((BigInteger.One << (power + 2)) + step, -2), RoundingMode.NearestEven).Bits;
                yield return format.Round(Exact.From(-(BigInteger.One << (power + 2)) + step, -2), RoundingMode.NearestEven).Bits;
            }
        }
        for (var i = 0; i < Count; i++)
            yield return operands.One();
    }

    private static Outcome ToInteger(Reference format, ulong a, RoundingMode mode, BigInteger min, BigInteger max)
    {
        if (format.IsNaN(a))
            return Saturated(max);
        if (format.IsInfinity(a))
            return Saturated(format.IsNegative(a) ? min : max);
        var x = format.Value(a);
        var (count, inexact) = Reference.RoundTo(x, 0, mode);
        var whole = x.Negative ? -count : count;
        if (whole < min || whole > max)
            return Saturated(x.Negative ? min : max);
        return new(Low(whole), inexact ? FloatFlags.Inexact : FloatFlags.None);

        static Outcome Saturated(BigInteger limit) => new(Low(limit), FloatFlags.Invalid);

        static ulong Low(BigInteger whole) => (ulong)(whole & ulong.MaxValue);
    }

    private static Outcome Whole(Reference format, ulong a, RoundingMode mode)
    {
        if (format.IsNaN(a))
            return new(format.NaN, format.Quietened(a, a));
        if (format.IsInfinity(a))
            return new(a, FloatFlags.None);
        var x = format.Value(a);
        var (count, inexact) = Reference.RoundTo(x, 0, mode);
        var rounded = format.Round(new(x.Negative, count, 0), mode);
        Assert.Equal(FloatFlags.None, rounded.Flags);
        return rounded with { Flags = inexact ? FloatFlags.Inexact : FloatFlags.None };
    }
}
