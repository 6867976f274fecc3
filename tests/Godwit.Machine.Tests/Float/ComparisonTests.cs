using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Tests.Float;

public sealed class ComparisonTests
{
    private const int Count = 40_000;

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Relations_are_those_of_the_values(int width)
    {
        var subject = Subject.Of(width);
        var format = subject.Reference;
        foreach (var (a, b) in Pairs(format, 21))
        {
            var unordered = format.IsNaN(a) || format.IsNaN(b);
            var quiet = format.Quietened(a, b);
            var signaling = unordered ? FloatFlags.Invalid : FloatFlags.None;
            var order = unordered ? 0 : Order(format, a, b);

            Check(subject.Equal, a, b, !unordered && order == 0, quiet);
            Check(subject.Less, a, b, !unordered && order < 0, signaling);
            Check(subject.LessOrEqual, a, b, !unordered && order <= 0, signaling);
            Check(subject.LessQuiet, a, b, !unordered && order < 0, quiet);
            Check(subject.LessOrEqualQuiet, a, b, !unordered && order <= 0, quiet);
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Minima_and_maxima_prefer_numbers_or_NaNs(int width)
    {
        var subject = Subject.Of(width);
        var format = subject.Reference;
        foreach (var (a, b) in Pairs(format, 22))
        {
            var flags = format.Quietened(a, b);
            ulong least, greatest, leastM = format.NaN, greatestM = format.NaN;
            if (format.IsNaN(a) || format.IsNaN(b))
            {
                least = greatest = !format.IsNaN(a) ? a : !format.IsNaN(b) ? b : format.NaN;
            }
            else
            {
                var order = Order(format, a, b);
                var first = order < 0 || (order == 0 && format.IsNegative(a));
                leastM = least = first ? a : b;
                greatestM = greatest = first ? b : a;
            }

            Agreement.Check(subject.Minimum, a, b, RoundingMode.NearestEven, new(least, flags));
            Agreement.Check(subject.Maximum, a, b, RoundingMode.NearestEven, new(greatest, flags));
            Agreement.Check(subject.MinimumM, a, b, RoundingMode.NearestEven, new(leastM, flags));
            Agreement.Check(subject.MaximumM, a, b, RoundingMode.NearestEven, new(greatestM, flags));
        }
    }

    [Theory]
    [InlineData(0xff800000u, 0xfff0000000000000UL, 0)]
    [InlineData(0xff7fffffu, 0xffefffffffffffffUL, 1)]
    [InlineData(0x80800000u, 0x8010000000000000UL, 1)]
    [InlineData(0x807fffffu, 0x800fffffffffffffUL, 2)]
    [InlineData(0x80000001u, 0x8000000000000001UL, 2)]
    [InlineData(0x80000000u, 0x8000000000000000UL, 3)]
    [InlineData(0x00000000u, 0x0000000000000000UL, 4)]
    [InlineData(0x00000001u, 0x0000000000000001UL, 5)]
    [InlineData(0x007fffffu, 0x000fffffffffffffUL, 5)]
    [InlineData(0x00800000u, 0x0010000000000000UL, 6)]
    [InlineData(0x7f7fffffu, 0x7fefffffffffffffUL, 6)]
    [InlineData(0x7f800000u, 0x7ff0000000000000UL, 7)]
    [InlineData(0x7f800001u, 0x7ff0000000000001UL, 8)]
    [InlineData(0xffbfffffu, 0xfff7ffffffffffffUL, 8)]
    [InlineData(0x7fc00000u, 0x7ff8000000000000UL, 9)]
    [InlineData(0xffffffffu, 0xffffffffffffffffUL, 9)]
    public void Each_kind_of_number_has_its_class(uint narrow, ulong wide, int bit)
    {
        Assert.Equal(1UL << bit, Float32.Classify(narrow));
        Assert.Equal(1UL << bit, Float64.Classify(wide));
    }

    private static IEnumerable<(ulong A, ulong B)> Pairs(Reference format, int seed)
    {
        var operands = new Operands(format, seed);
        var specials = Operands.Specials(format);
        foreach (var a in specials)
        {
            foreach (var b in specials)
                yield return (a, b);
        }
        for (var i = 0; i < Count; i++)
        {
            var (a, b) = operands.ForSum();
            yield return i % 2 == 0 ? (a, b) : (a, b ^ format.Sign);
        }
    }

    private static int Order(Reference format, ulong a, ulong b)
    {
        if (a == b)
            return 0;
        if (format.IsInfinity(a))
            return format.IsNegative(a) ? -1 : 1;
        if (format.IsInfinity(b))
            return format.IsNegative(b) ? 1 : -1;
        var (x, y) = (format.Value(a), format.Value(b));
        var exponent = Math.Min(x.Exponent, y.Exponent);
        return (x.Signed << (x.Exponent - exponent)).CompareTo(y.Signed << (y.Exponent - exponent));
    }

    private static void Check(Relation relation, ulong a, ulong b, bool expected, FloatFlags raised)
    {
        foreach (var before in (FloatFlags[])[FloatFlags.None, FloatFlags.Inexact])
        {
            var flags = before;
            if (relation(a, b, ref flags) != expected || flags != (before | raised))
                Assert.Fail($"{a:x16} {b:x16}: {!expected} or [{flags}], expected {expected} [{raised}]");
        }
    }
}
