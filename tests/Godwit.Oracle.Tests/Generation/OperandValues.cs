namespace Godwit.Oracle.Tests.Generation;

/// <summary>Operands with a bias to the values that implementations get wrong.</summary>
internal static class OperandValues
{
    private const ulong Box = 0xffffffff00000000;

    private static readonly ulong[] Integers =
    [
        0, 1, 2, 0xff, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
        0xffffffffffffffff, 0xfffffffffffffffe, 0xffffffff80000000, 0xffffffff7fffffff, 0xffffffff00000000, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa,
        0x0123456789abcdef, 0x00ff00ff00ff00ff, 0x8080808080808080, 0x8000000000000001, 31, 32, 33, 63, 64, 65,
    ];

    // Zero, ones, largest, smallest normal and subnormal, infinity, quiet and signalling NaNs, halves (ties), the edges of the integers.
    private static readonly uint[] Singles =
    [
        0x00000000, 0x3f800000, 0x3f7fffff, 0x3f800001, 0x7f7fffff, 0x00800000, 0x007fffff, 0x00000001, 0x00000002, 0x7f800000, 0x7fc00000, 0x7fffffff,
        0x7f800001, 0x7fa00000, 0x3f000000, 0x3effffff, 0x3f000001, 0x3fc00000, 0x40200000, 0x40490fdb, 0x4f000000, 0x4effffff, 0x4f800000, 0x4f7fffff,
        0x5f000000, 0x5effffff, 0x5f800000, 0x5f7fffff, 0x4b000000, 0x4affffff, 0x4b000001, 0x34000000, 0x33800000, 0x1f800000, 0x20000000, 0x5f000001,
    ];

    private static readonly ulong[] Doubles =
    [
        0x0000000000000000, 0x3ff0000000000000, 0x3fefffffffffffff, 0x3ff0000000000001, 0x7fefffffffffffff, 0x0010000000000000, 0x000fffffffffffff,
        0x0000000000000001, 0x0000000000000002, 0x7ff0000000000000, 0x7ff8000000000000, 0x7fffffffffffffff, 0x7ff0000000000001, 0x7ff4000000000000,
        0x3fe0000000000000, 0x3fdfffffffffffff, 0x3fe0000000000001, 0x3ff8000000000000, 0x4004000000000000, 0x400921fb54442d18, 0x41e0000000000000,
        0x41dfffffffc00000, 0x41dfffffffe00000, 0x41f0000000000000, 0x41efffffffe00000, 0x41efffffffffffff, 0x43e0000000000000, 0x43dfffffffffffff,
        0x43f0000000000000, 0x43efffffffffffff, 0x4330000000000000, 0x432fffffffffffff, 0x4340000000000001, 0x36a0000000000000, 0x3690000000000000,
        0x3690000000000001, 0x380fffffffffffff, 0x3810000000000000, 0x47efffffe0000000, 0x47efffffefffffff, 0x47effffff0000000, 0x47f0000000000000,
    ];

    public static ulong Integer(SeededRandom random) => random.Below(8) switch
    {
        0 or 1 => random.Of(Integers),
        2 => 1ul << random.Below(64),
        3 => (1ul << random.Below(64)) - 1,
        4 => ~(1ul << random.Below(64)),
        5 => (ulong)(long)(int)random.Next(),
        6 => (ulong)(random.Below(257) - 128),
        _ => random.Next(),
    };

    public static ulong Double(SeededRandom random)
    {
        var sign = random.Next() & (1ul << 63);
        return random.Below(6) switch
        {
            0 or 1 => random.Of(Doubles) ^ sign,
            2 => random.Next(),
            3 => (random.Next() & 0x000fffffffffffff) | sign,
            // Near to one another, so that sums cancel and products round.
            4 => (random.Next() & 0x000fffffffffffff) | ((ulong)(0x3ff - 40 + random.Below(80)) << 52) | sign,
            _ => ((random.Next() & random.Next() & random.Next() & 0x000fffffffffffff) | ((ulong)(0x3ff - 2 + random.Below(66)) << 52)) ^ sign,
        };
    }

    public static uint Single(SeededRandom random)
    {
        var sign = (uint)random.Next() & 0x80000000;
        return random.Below(6) switch
        {
            0 or 1 => random.Of(Singles) ^ sign,
            2 => (uint)random.Next(),
            3 => ((uint)random.Next() & 0x7fffff) | sign,
            4 => ((uint)random.Next() & 0x7fffff) | ((uint)(0x7f - 20 + random.Below(40)) << 23) | sign,
            _ => ((uint)(random.Next() & random.Next() & random.Next()) & 0x7fffff) | ((uint)(0x7f - 2 + random.Below(66)) << 23) | sign,
        };
    }

    /// <param name="single">The registers are meant for instructions of single precision.</param>
    public static ulong Float(SeededRandom random, bool single) => (single, random.Below(20)) switch
    {
        (true, 0) => Double(random),
        (true, 1) => Single(random) | (Box << 1),
        (true, 2) => Single(random),
        (true, _) => Single(random) | Box,
        (false, 0) => Single(random) | Box,
        (false, _) => Double(random),
    };
}
