namespace Godwit.Oracle.Tests.Instructions;

internal sealed record Instruction(string Extension, string Name, uint Match, InstructionFormat Format)
{
    public uint Mask => Format.Mask;

    public bool IsCompressed => (Match & 3) != 3;

    public int Length => IsCompressed ? 2 : 4;

    /// <summary>Bytes of memory that it reads or writes; 0 for none.</summary>
    public int AccessSize { get; } = SizeOf(Name, Match, Format.Name);

    public bool IsControlFlow => Format.Name is "Jal" or "Jalr" or "Branch" or "CJump" or "CBranch" or "CJumpRegister";

    public bool IsStackRelative => Format.Name.StartsWith("CSp", StringComparison.Ordinal);

    public bool IsAtomic => Format.Name is "Amo" or "LoadReserved";

    public bool Matches(uint word) => (word & Mask) == Match;

    public string Text(uint word) => $"{Name} {string.Join(", ", Format.Operands.Select(o => o.Text(word)))}".TrimEnd();

    /// <summary>What a memory instruction adds to its base register.</summary>
    public int Offset(uint word) => Format.Name switch
    {
        "Load" or "FLoad" => (int)word >> 20,
        "Store" or "FStore" => (((int)word >> 25) << 5) | (int)((word >> 7) & 31),
        "Prefetch" => ((int)word >> 25) << 5,
        "CLoad" or "CStore" or "CFLoad" or "CFStore" => AccessSize == 4
            ? (int)(((word >> 10 & 7) << 3) | ((word >> 6 & 1) << 2) | ((word >> 5 & 1) << 6))
            : (int)(((word >> 10 & 7) << 3) | ((word >> 5 & 3) << 6)),
        "CSpLoad" or "CSpFLoad" => AccessSize == 4
            ? (int)(((word >> 12 & 1) << 5) | ((word >> 4 & 7) << 2) | ((word >> 2 & 3) << 6))
            : (int)(((word >> 12 & 1) << 5) | ((word >> 5 & 3) << 3) | ((word >> 2 & 7) << 6)),
        "CSpStore" or "CSpFStore" => AccessSize == 4
            ? (int)(((word >> 9 & 15) << 2) | ((word >> 7 & 3) << 6))
            : (int)(((word >> 10 & 7) << 3) | ((word >> 7 & 7) << 6)),
        _ => 0,
    };

    /// <summary>How far a jump with an immediate target goes.</summary>
    public int Distance(uint word)
    {
        var w = (int)word;
        return Format.Name switch
        {
            "Jal" => ((w >> 31) << 20) | (w & 0xff000) | ((w >> 20 & 1) << 11) | ((w >> 21 & 0x3ff) << 1),
            "Branch" => ((w >> 31) << 12) | ((w >> 7 & 1) << 11) | ((w >> 25 & 0x3f) << 5) | ((w >> 8 & 15) << 1),
            "CJump" => ((w << 19 >> 31) << 11) | ((w >> 8 & 1) << 10) | ((w >> 9 & 3) << 8) | ((w >> 6 & 1) << 7) | ((w >> 7 & 1) << 6)
                | ((w >> 2 & 1) << 5) | ((w >> 11 & 1) << 4) | ((w >> 3 & 7) << 1),
            "CBranch" => ((w << 19 >> 31) << 8) | ((w >> 5 & 3) << 6) | ((w >> 2 & 1) << 5) | ((w >> 10 & 3) << 3) | ((w >> 3 & 3) << 1),
            _ => 0,
        };
    }

    /// <summary>Whether the specification defines this encoding: not reserved by an operand's value.</summary>
    public bool IsDefined(uint word) => Name switch
    {
        "c.addi4spn" => (word & 0x1fe0) != 0,
        "c.addi16sp" or "c.lui" => (word & 0x107c) != 0,
        "c.addiw" or "c.lwsp" or "c.ldsp" => (word & 0xf80) != 0,
        "c.jr" => (word & 0xf80) != 0,
        _ => true,
    };

    private static int SizeOf(string name, uint match, string format) => format switch
    {
        "Load" or "Store" or "FLoad" or "FStore" or "Amo" or "LoadReserved" => 1 << (int)((match >> 12) & 3),
        "CacheBlock" => 64,
        _ when format[0] == 'C' && name is "c.lw" or "c.sw" or "c.lwsp" or "c.swsp" => 4,
        _ when format[0] == 'C' && name is "c.ld" or "c.sd" or "c.fld" or "c.fsd" or "c.ldsp" or "c.sdsp" or "c.fldsp" or "c.fsdsp" => 8,
        _ => 0,
    };
}
