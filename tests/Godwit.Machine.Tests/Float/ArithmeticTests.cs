using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Tests.Float;

/// <summary>Against exact arithmetic: tens of thousands of operands an operation and format, in all rounding modes, with all flags.</summary>
public sealed class ArithmeticTests
{
    private const int Count = 20_000;

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Sums_and_differences_are_exact_ones_rounded(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 1);
        for (var i = 0; i < Count; i++)
            Sum(subject, operands.ForSum());
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Products_are_exact_ones_rounded(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 2);
        for (var i = 0; i < Count; i++)
            Product(subject, operands.ForProduct(quotient: false));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Quotients_are_exact_ones_rounded(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 3);
        for (var i = 0; i < Count; i++)
            Quotient(subject, operands.ForProduct(quotient: true));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Square_roots_are_exact_ones_rounded(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 4);
        for (var i = 0; i < Count; i++)
        {
            // Beside random ones, neighbours of squares: their roots are nearly whole.
            var a = operands.One();
            var square = subject.Reference.Multiply(a, a, RoundingMode.NearestEven).Bits;
            Root(subject, i % 2 == 0 ? a : square + (ulong)((i % 6) - 3));
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Fused_sums_are_exact_ones_rounded_once(int width)
    {
        var subject = Subject.Of(width);
        var operands = new Operands(subject.Reference, 5);
        for (var i = 0; i < 2 * Count; i++)
            Fused(subject, operands.ForFused());
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void All_pairs_of_special_operands_agree(int width)
    {
        var subject = Subject.Of(width);
        var specials = Operands.Specials(subject.Reference);
        foreach (var a in specials)
        {
            Root(subject, a);
            foreach (var b in specials)
            {
                Sum(subject, (a, b));
                Product(subject, (a, b));
                Quotient(subject, (a, b));
            }
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void All_triples_of_special_operands_agree(int width)
    {
        var subject = Subject.Of(width);
        var specials = Operands.Specials(subject.Reference).Where((_, i) => i % 2 == 0 || i % 27 > 20).ToArray();
        foreach (var a in specials)
        {
            foreach (var b in specials)
            {
                foreach (var c in specials)
                    Fused(subject, (a, b, c));
            }
        }
    }

    /// <summary>The oracle itself against the host, and the integer path with it: no flag is raised beforehand.</summary>
    [Fact]
    public void The_nearest_even_results_are_the_hosts()
    {
        var operands = new Operands(Reference.Binary64, 6);
        for (var i = 0; i < 5 * Count; i++)
        {
            var (a, b) = i % 2 == 0 ? operands.ForSum() : operands.ForProduct(i % 4 == 1);
            var (x, y) = (BitConverter.UInt64BitsToDouble(a), BitConverter.UInt64BitsToDouble(b));

            Same(x + y, Float64.Add, a, b);
            Same(x - y, Float64.Subtract, a, b);
            Same(x * y, Float64.Multiply, a, b);
            Same(x / y, Float64.Divide, a, b);
            Same(Math.Sqrt(x), (ulong n, ulong _, RoundingMode m, ref FloatFlags f) => Float64.SquareRoot(n, m, ref f), a, b);
        }

        static void Same(double expected, Binary operation, ulong a, ulong b)
        {
            var flags = FloatFlags.None;
            var bits = operation(a, b, RoundingMode.NearestEven, ref flags);
            var host = double.IsNaN(expected) ? Float64.CanonicalNaN : BitConverter.DoubleToUInt64Bits(expected);
            if (bits != host)
                Assert.Fail($"{a:x16} {b:x16}: {bits:x16}, expected {host:x16}");
        }
    }

    /// <summary>The product is just below the least normal number and rounds up to it: tiny before rounding, not after.</summary>
    [Theory]
    [InlineData(0x3feffffffffffffeUL, 0x0010000000000001UL, FloatFlags.Inexact)]
    [InlineData(0x3fefffffffffffffUL, 0x0010000000000000UL, FloatFlags.Inexact | FloatFlags.Underflow)]
    public void Tininess_is_detected_after_rounding(ulong a, ulong b, FloatFlags expected)
    {
        Agreement.Check(Float64.Multiply, a, b, RoundingMode.NearestEven, new(0x0010000000000000, expected));
    }

    [Fact]
    public void Infinity_times_zero_is_invalid_even_beside_a_quiet_NaN()
    {
        Agreement.Check(Float64.MultiplyAdd, 0x7ff0000000000000, 0, 0x7ff8000000000000, RoundingMode.NearestEven, new(0x7ff8000000000000, FloatFlags.Invalid));
    }

    private static void Sum(Subject subject, (ulong A, ulong B) pair)
    {
        foreach (var mode in Subject.Modes)
        {
            var expected = subject.Reference.Add(pair.A, pair.B, mode);
            Agreement.Check(subject.Add, pair.A, pair.B, mode, expected);
            Agreement.Check(subject.Subtract, pair.A, pair.B ^ subject.Reference.Sign, mode, expected);
        }
    }

    private static void Product(Subject subject, (ulong A, ulong B) pair)
    {
        foreach (var mode in Subject.Modes)
            Agreement.Check(subject.Multiply, pair.A, pair.B, mode, subject.Reference.Multiply(pair.A, pair.B, mode));
    }

    private static void Quotient(Subject subject, (ulong A, ulong B) pair)
    {
        foreach (var mode in Subject.Modes)
            Agreement.Check(subject.Divide, pair.A, pair.B, mode, subject.Reference.Divide(pair.A, pair.B, mode));
    }

    private static void Root(Subject subject, ulong a)
    {
        a &= (subject.Reference.Sign << 1) - 1;
        foreach (var mode in Subject.Modes)
            Agreement.Check(subject.SquareRoot, a, mode, subject.Reference.SquareRoot(a, mode));
    }

    private static void Fused(Subject subject, (ulong A, ulong B, ulong C) triple)
    {
        var (a, b, c) = triple;
        foreach (var mode in Subject.Modes)
            Agreement.Check(subject.MultiplyAdd, a, b, c, mode, subject.Reference.MultiplyAdd(a, b, c, mode));
    }
}
