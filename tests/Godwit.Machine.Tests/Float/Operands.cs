namespace Godwit.Machine.Tests.Float;

/// <summary>Operands that find what uniform bits do not: specials, extremes, ties, cancellation. The same ones every time.</summary>
internal sealed class Operands(Reference format, int seed)
{
    private readonly Random _random = new(seed);
    private readonly ulong[] _specials = Specials(format);

    /// <summary>Zeros, the neighbours of every boundary, small whole numbers, infinities and NaNs; either sign.</summary>
    public static ulong[] Specials(Reference format)
    {
        var hidden = 1UL << (format.Precision - 1);
        var one = (ulong)format.MaxExponent << (format.Precision - 1);
        ulong[] positive =
        [
            0, 1, 2, 3, hidden / 2, hidden - 2, hidden - 1, hidden, hidden + 1, hidden * 2, one - hidden, one - hidden + 1, one - 1, one, one + 1,
            one + (hidden / 2), one + hidden, one + hidden + (hidden / 2), format.Infinity - hidden, format.Infinity - 2, format.Infinity - 1,
            format.Infinity, format.Infinity + 1, format.NaN - 1, format.NaN, format.NaN + 1, format.Sign - 1,
        ];
        return [.. positive, .. positive.Select(p => p | format.Sign)];
    }

    public ulong One() => _random.Next(8) switch
    {
        0 => _specials[_random.Next(_specials.Length)],
        1 => Bits() & ((format.Sign << 1) - 1),
        2 => Signed(Fraction()),
        3 => WithExponent(_random.Next(1, format.Precision + 3)),
        4 => WithExponent((2 * format.MaxExponent) - _random.Next(format.Precision + 3)),
        5 => WithExponent(format.MaxExponent + _random.Next(-70, 70)),
        6 => WithExponent(format.MaxExponent + _random.Next(-2, 3)),
        _ => WithExponent(_random.Next(1, (2 * format.MaxExponent) + 1)),
    };

    /// <summary>Two for a sum: often near in exponent, often nearly cancelling.</summary>
    public (ulong A, ulong B) ForSum()
    {
        var a = One();
        return (a, _random.Next(4) switch
        {
            0 => One(),
            1 => Beside(a ^ format.Sign),
            _ => WithExponent(Field(a) + _random.Next(-format.Precision - 3, format.Precision + 4)),
        });
    }

    /// <summary>Two for a product or, inverted, a quotient: often at the format's ends, where results overflow and underflow.</summary>
    public (ulong A, ulong B) ForProduct(bool quotient)
    {
        var a = One();
        var choice = _random.Next(4);
        if (choice == 0)
            return (a, One());
        var result = choice switch
        {
            1 => _random.Next(-format.Precision - 3, 4),
            2 => (2 * format.MaxExponent) + _random.Next(-3, 4),
            _ => _random.Next(0, 2 * format.MaxExponent),
        };
        return (a, WithExponent(quotient ? Field(a) - result + format.MaxExponent : result - Field(a) + format.MaxExponent));
    }

    /// <summary>Three for a fused multiply-add: the addend often near the product or just out of its reach.</summary>
    public (ulong A, ulong B, ulong C) ForFused()
    {
        var (a, b) = ForProduct(quotient: false);
        var product = Field(a) + Field(b) - format.MaxExponent;
        return (a, b, _random.Next(4) switch
        {
            0 => One(),
            1 => WithExponent(product + _random.Next(-(2 * format.Precision) - 4, (2 * format.Precision) + 5)),
            2 => WithExponent(product + _random.Next(-2, 3)),
            _ => Beside(format.Multiply(a, b, Cpu.Float.RoundingMode.TowardZero).Bits ^ (_random.Next(4) == 0 ? 0 : format.Sign)),
        });
    }

    public ulong Bits() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue);

    /// <summary>An integer with few bits set or few clear, or of any length.</summary>
    public ulong Integer() => _random.Next(4) switch
    {
        0 => Bits() >> _random.Next(64),
        1 => Runs(64),
        2 => (ulong)_random.Next(-3, 4),
        _ => (1UL << _random.Next(64)) + (ulong)_random.Next(-3, 4),
    };

    private int Field(ulong bits) => (int)((bits & (format.Sign - 1)) >> (format.Precision - 1));

    private ulong Beside(ulong bits) => (bits + (ulong)_random.Next(-3, 4)) & ((format.Sign << 1) - 1);

    private ulong Signed(ulong bits) => _random.Next(2) == 0 ? bits : bits | format.Sign;

    private ulong WithExponent(int field)
    {
        return Signed(((ulong)Math.Clamp(field, 0, 2 * format.MaxExponent) << (format.Precision - 1)) | Fraction());
    }

    /// <summary>Random, or runs of zeros and ones such as make ties and carries.</summary>
    private ulong Fraction()
    {
        var width = format.Precision - 1;
        var bits = _random.Next(3) switch
        {
            0 => Bits(),
            1 => Runs(width),
            _ => Bits() << _random.Next(width),
        };
        return bits & ((1UL << width) - 1);
    }

    private ulong Runs(int width)
    {
        var bits = 0UL;
        for (var turns = _random.Next(4); turns > 0; turns--)
            bits ^= ulong.MaxValue >> _random.Next(64 - width, 64);
        return bits;
    }
}
