using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Generation;

/// <summary>
/// Words of any kind, six a case: which of them are instructions, and what the trap says of the others. Every base register points to
/// nothing, so that loads and stores trap too. Jumps are left out: <see cref="JumpInstructions"/> has them.
/// </summary>
internal static class DecodeAgreement
{
    public const int Pitch = 32;

    private static readonly ushort[] Halves = Enumerable.Range(0, 65536).Select(h => (ushort)h).Where(IsStill).ToArray();

    public static int CompressedCases => (Halves.Length + CaseRecord.TrapSlots - 1) / CaseRecord.TrapSlots;

    /// <summary>All 16-bit words, in order.</summary>
    public static OracleCase Compressed(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var item = New(seed, random);
        foreach (var half in Halves.AsSpan(place.Index * CaseRecord.TrapSlots, Math.Min(CaseRecord.TrapSlots, Halves.Length - (place.Index * CaseRecord.TrapSlots))))
            item.Emit(half);
        return item;
    }

    /// <summary>32-bit words: half of them random, half an instruction with some bits flipped.</summary>
    public static OracleCase Wide(in CasePlace place, ulong seed)
    {
        var random = new SeededRandom(seed);
        var item = New(seed, random);
        while (item.Listing.Count < CaseRecord.TrapSlots)
        {
            var word = (uint)random.Next() | 3;
            if (random.Percent(50))
            {
                var instruction = random.Of(InstructionTable.All);
                word = CaseState.Encode(instruction, random);
                for (var flips = 1 + random.Below(3); flips > 0; flips--)
                    word ^= 1u << (2 + random.Below(30));
            }

            if ((word & 3) == 3 && !MayLeave(word) && (item.Mode == PrivilegeMode.User || (word & 0x7f) != 0x73))
                item.Emit(word);
        }

        return item;
    }

    private static OracleCase New(ulong seed, SeededRandom random)
    {
        var item = CaseState.New(seed, random, random.Percent(50));
        for (var i = 1; i < 32; i++)
            item.X[i] = 0x5a5a_0000_0000_0000 | (random.Next() & 0xffff_ffff_fff0);
        if (random.Percent(60))
            item.Mode = PrivilegeMode.User;
        return item;
    }

    private static bool IsStill(ushort half) => (half & 3) != 3 && InstructionTable.Decode(half) is not { IsControlFlow: true } || (half & 3) == 2 && half == 0x8002;

    private static bool MayLeave(uint word) => (word & 0x7f) is 0x63 or 0x6f || (word & 0x707f) == 0x67;
}
