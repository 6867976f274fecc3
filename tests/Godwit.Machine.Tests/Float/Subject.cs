using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Tests.Float;

public delegate ulong Unary(ulong a, RoundingMode mode, ref FloatFlags flags);

public delegate ulong Binary(ulong a, ulong b, RoundingMode mode, ref FloatFlags flags);

public delegate ulong Ternary(ulong a, ulong b, ulong c, RoundingMode mode, ref FloatFlags flags);

public delegate bool Relation(ulong a, ulong b, ref FloatFlags flags);

/// <summary>A format under test, behind one signature for both widths, and its oracle.</summary>
internal sealed record Subject(Reference Reference)
{
    public static readonly RoundingMode[] Modes = Enum.GetValues<RoundingMode>();

    public required Binary Add { get; init; }

    public required Binary Subtract { get; init; }

    public required Binary Multiply { get; init; }

    public required Binary Divide { get; init; }

    public required Unary SquareRoot { get; init; }

    public required Ternary MultiplyAdd { get; init; }

    public required Unary Round { get; init; }

    public required Unary RoundExact { get; init; }

    public required Binary Minimum { get; init; }

    public required Binary Maximum { get; init; }

    public required Binary MinimumM { get; init; }

    public required Binary MaximumM { get; init; }

    public required Relation Equal { get; init; }

    public required Relation Less { get; init; }

    public required Relation LessOrEqual { get; init; }

    public required Relation LessQuiet { get; init; }

    public required Relation LessOrEqualQuiet { get; init; }

    public required Func<ulong, ulong> Classify { get; init; }

    public required Unary ToInt32 { get; init; }

    public required Unary ToUInt32 { get; init; }

    public required Unary ToInt64 { get; init; }

    public required Unary ToUInt64 { get; init; }

    public required Unary FromInt32 { get; init; }

    public required Unary FromUInt32 { get; init; }

    public required Unary FromInt64 { get; init; }

    public required Unary FromUInt64 { get; init; }

    public static Subject Of(int width) => width == 32 ? Narrow : Wide;

    private static Subject Narrow { get; } = new(Reference.Binary32)
    {
        Add = (a, b, m, ref f) => Float32.Add((uint)a, (uint)b, m, ref f),
        Subtract = (a, b, m, ref f) => Float32.Subtract((uint)a, (uint)b, m, ref f),
        Multiply = (a, b, m, ref f) => Float32.Multiply((uint)a, (uint)b, m, ref f),
        Divide = (a, b, m, ref f) => Float32.Divide((uint)a, (uint)b, m, ref f),
        SquareRoot = (a, m, ref f) => Float32.SquareRoot((uint)a, m, ref f),
        MultiplyAdd = (a, b, c, m, ref f) => Float32.MultiplyAdd((uint)a, (uint)b, (uint)c, m, ref f),
        Round = (a, m, ref f) => Float32.Round((uint)a, m, exact: false, ref f),
        RoundExact = (a, m, ref f) => Float32.Round((uint)a, m, exact: true, ref f),
        Minimum = (a, b, _, ref f) => Float32.Minimum((uint)a, (uint)b, ref f),
        Maximum = (a, b, _, ref f) => Float32.Maximum((uint)a, (uint)b, ref f),
        MinimumM = (a, b, _, ref f) => Float32.MinimumM((uint)a, (uint)b, ref f),
        MaximumM = (a, b, _, ref f) => Float32.MaximumM((uint)a, (uint)b, ref f),
        Equal = (a, b, ref f) => Float32.Equal((uint)a, (uint)b, ref f),
        Less = (a, b, ref f) => Float32.Less((uint)a, (uint)b, ref f),
        LessOrEqual = (a, b, ref f) => Float32.LessOrEqual((uint)a, (uint)b, ref f),
        LessQuiet = (a, b, ref f) => Float32.LessQuiet((uint)a, (uint)b, ref f),
        LessOrEqualQuiet = (a, b, ref f) => Float32.LessOrEqualQuiet((uint)a, (uint)b, ref f),
        Classify = a => Float32.Classify((uint)a),
        ToInt32 = (a, m, ref f) => (ulong)Float32.ToInt32((uint)a, m, ref f),
        ToUInt32 = (a, m, ref f) => Float32.ToUInt32((uint)a, m, ref f),
        ToInt64 = (a, m, ref f) => (ulong)Float32.ToInt64((uint)a, m, ref f),
        ToUInt64 = (a, m, ref f) => Float32.ToUInt64((uint)a, m, ref f),
        FromInt32 = (a, m, ref f) => Float32.FromInt32((int)a, m, ref f),
        FromUInt32 = (a, m, ref f) => Float32.FromUInt32((uint)a, m, ref f),
        FromInt64 = (a, m, ref f) => Float32.FromInt64((long)a, m, ref f),
        FromUInt64 = (a, m, ref f) => Float32.FromUInt64(a, m, ref f),
    };

    private static Subject Wide { get; } = new(Reference.Binary64)
    {
        Add = Float64.Add,
        Subtract = Float64.Subtract,
        Multiply = Float64.Multiply,
        Divide = Float64.Divide,
        SquareRoot = Float64.SquareRoot,
        MultiplyAdd = Float64.MultiplyAdd,
        Round = (a, m, ref f) => Float64.Round(a, m, exact: false, ref f),
        RoundExact = (a, m, ref f) => Float64.Round(a, m, exact: true, ref f),
        Minimum = (a, b, _, ref f) => Float64.Minimum(a, b, ref f),
        Maximum = (a, b, _, ref f) => Float64.Maximum(a, b, ref f),
        MinimumM = (a, b, _, ref f) => Float64.MinimumM(a, b, ref f),
        MaximumM = (a, b, _, ref f) => Float64.MaximumM(a, b, ref f),
        Equal = Float64.Equal,
        Less = Float64.Less,
        LessOrEqual = Float64.LessOrEqual,
        LessQuiet = Float64.LessQuiet,
        LessOrEqualQuiet = Float64.LessOrEqualQuiet,
        Classify = Float64.Classify,
        ToInt32 = (a, m, ref f) => (ulong)Float64.ToInt32(a, m, ref f),
        ToUInt32 = (a, m, ref f) => Float64.ToUInt32(a, m, ref f),
        ToInt64 = (a, m, ref f) => (ulong)Float64.ToInt64(a, m, ref f),
        ToUInt64 = Float64.ToUInt64,
        FromInt32 = (a, m, ref f) => Float64.FromInt32((int)a, m, ref f),
        FromUInt32 = (a, m, ref f) => Float64.FromUInt32((uint)a, m, ref f),
        FromInt64 = (a, m, ref f) => Float64.FromInt64((long)a, m, ref f),
        FromUInt64 = Float64.FromUInt64,
    };
}

/// <summary>Compares results and flags. Each case runs with no flags raised and with some: the host may only answer with Inexact raised.</summary>
internal static class Agreement
{
    private static readonly FloatFlags[] Raised = [FloatFlags.None, FloatFlags.Inexact, FloatFlags.DivideByZero | FloatFlags.Invalid];

    public static void Check(Unary subject, ulong a, RoundingMode mode, Outcome expected)
    {
        foreach (var before in Raised)
        {
            var flags = before;
            var bits = subject(a, mode, ref flags);
            if (bits != expected.Bits || flags != (before | expected.Flags))
                Assert.Fail($"{a:x16} {mode} after [{before}]: {bits:x16} [{flags}], expected {expected.Bits:x16} [{expected.Flags}]");
        }
    }

    public static void Check(Binary subject, ulong a, ulong b, RoundingMode mode, Outcome expected)
    {
        foreach (var before in Raised)
        {
            var flags = before;
            var bits = subject(a, b, mode, ref flags);
            if (bits != expected.Bits || flags != (before | expected.Flags))
                Assert.Fail($"{a:x16} {b:x16} {mode} after [{before}]: {bits:x16} [{flags}], expected {expected.Bits:x16} [{expected.Flags}]");
        }
    }

    public static void Check(Ternary subject, ulong a, ulong b, ulong c, RoundingMode mode, Outcome expected)
    {
        foreach (var before in Raised)
        {
            var flags = before;
            var bits = subject(a, b, c, mode, ref flags);
            if (bits != expected.Bits || flags != (before | expected.Flags))
                Assert.Fail($"{a:x16} {b:x16} {c:x16} {mode} after [{before}]: {bits:x16} [{flags}], expected {expected.Bits:x16} [{expected.Flags}]");
        }
    }
}
