namespace Godwit.Machine.Cpu.Decode;

/// <summary>Expands the 16-bit instructions of extension C (RV64DC) to their 32-bit counterparts.</summary>
public static class CompressedDecoder
{
    private const uint OpImm = 0x13, OpImm32 = 0x1b, Op = 0x33, Op32 = 0x3b, Lui = 0x37, Load = 0x03, LoadFp = 0x07, Store = 0x23,
        StoreFp = 0x27, Branch = 0x63, JalOp = 0x6f, JalrOp = 0x67;

    private const uint Ra = 1, Sp = 2;

    /// <returns>The 32-bit encoding; 0, which is illegal, if there is none.</returns>
    public static uint Expand(uint word) => ((word >> 13) & 7, word & 3) switch
    {
        (0, 0) => Addi4Spn(word),
        (1, 0) => I(LoadFp, 3, RdLow(word), Rs1Low(word), OffsetD(word)),
        (2, 0) => I(Load, 2, RdLow(word), Rs1Low(word), OffsetW(word)),
        (3, 0) => I(Load, 3, RdLow(word), Rs1Low(word), OffsetD(word)),
        (5, 0) => S(StoreFp, 3, Rs1Low(word), RdLow(word), OffsetD(word)),
        (6, 0) => S(Store, 2, Rs1Low(word), RdLow(word), OffsetW(word)),
        (7, 0) => S(Store, 3, Rs1Low(word), RdLow(word), OffsetD(word)),
        (0, 1) => I(OpImm, 0, Rd(word), Rd(word), Imm6(word)),
        (1, 1) => Rd(word) == 0 ? 0 : I(OpImm32, 0, Rd(word), Rd(word), Imm6(word)),
        (2, 1) => I(OpImm, 0, Rd(word), 0, Imm6(word)),
        (3, 1) => LuiOrAddi16Sp(word),
        (4, 1) => Arithmetic(word),
        (5, 1) => J(0, JumpOffset(word)),
        (6, 1) => B(0, Rs1Low(word), BranchOffset(word)),
        (7, 1) => B(1, Rs1Low(word), BranchOffset(word)),
        (0, 2) => I(OpImm, 1, Rd(word), Rd(word), Shift(word)),
        (1, 2) => I(LoadFp, 3, Rd(word), Sp, StackD(word)),
        (2, 2) => Rd(word) == 0 ? 0 : I(Load, 2, Rd(word), Sp, StackW(word)),
        (3, 2) => Rd(word) == 0 ? 0 : I(Load, 3, Rd(word), Sp, StackD(word)),
        (4, 2) => Register(word),
        (5, 2) => S(StoreFp, 3, Sp, Rs2(word), StackStoreD(word)),
        (6, 2) => S(Store, 2, Sp, Rs2(word), StackStoreW(word)),
        (7, 2) => S(Store, 3, Sp, Rs2(word), StackStoreD(word)),
        _ => 0,
    };

    private static uint Addi4Spn(uint w)
    {
        var imm = (Bits(w, 11, 2) << 4) | (Bits(w, 7, 4) << 6) | (Bits(w, 6, 1) << 2) | (Bits(w, 5, 1) << 3);
        return imm == 0 ? 0 : I(OpImm, 0, RdLow(w), Sp, (int)imm);
    }

    private static uint LuiOrAddi16Sp(uint w)
    {
        if (Rd(w) == Sp)
        {
            var imm = (Bits(w, 12, 1) << 9) | (Bits(w, 6, 1) << 4) | (Bits(w, 5, 1) << 6) | (Bits(w, 3, 2) << 7) | (Bits(w, 2, 1) << 5);
            return imm == 0 ? 0 : I(OpImm, 0, Sp, Sp, SignExtend(imm, 10));
        }

        return Imm6(w) == 0 ? 0 : ((uint)Imm6(w) << 12) | (Rd(w) << 7) | Lui;
    }

    private static uint Arithmetic(uint w)
    {
        var rd = Rs1Low(w);
        var rs2 = RdLow(w);
        return (Bits(w, 10, 2), Bits(w, 12, 1), Bits(w, 5, 2)) switch
        {
            (0, _, _) => I(OpImm, 5, rd, rd, Shift(w)),
            (1, _, _) => I(OpImm, 5, rd, rd, 0x400 | Shift(w)),
            (2, _, _) => I(OpImm, 7, rd, rd, Imm6(w)),
            (3, 0, 0) => R(Op, 0, 0x20, rd, rd, rs2),
            (3, 0, 1) => R(Op, 4, 0, rd, rd, rs2),
            (3, 0, 2) => R(Op, 6, 0, rd, rd, rs2),
            (3, 0, 3) => R(Op, 7, 0, rd, rd, rs2),
            (3, 1, 0) => R(Op32, 0, 0x20, rd, rd, rs2),
            (3, 1, 1) => R(Op32, 0, 0, rd, rd, rs2),
            _ => 0,
        };
    }

    private static uint Register(uint w) => (Bits(w, 12, 1), Rd(w), Rs2(w)) switch
    {
        (0, 0, 0) => 0,
        (0, var rs1, 0) => I(JalrOp, 0, 0, rs1, 0),
        (0, var rd, var rs2) => R(Op, 0, 0, rd, 0, rs2),
        (1, 0, 0) => 0x00100073,
        (1, var rs1, 0) => I(JalrOp, 0, Ra, rs1, 0),
        (_, var rd, var rs2) => R(Op, 0, 0, rd, rd, rs2),
    };

    private static uint Bits(uint word, int low, int count) => (word >> low) & ((1u << count) - 1);

    private static uint Rd(uint w) => Bits(w, 7, 5);

    private static uint Rs2(uint w) => Bits(w, 2, 5);

    private static uint RdLow(uint w) => 8 + Bits(w, 2, 3);

    private static uint Rs1Low(uint w) => 8 + Bits(w, 7, 3);

    private static int SignExtend(uint value, int bits) => (int)(value << (32 - bits)) >> (32 - bits);

    private static int Imm6(uint w) => SignExtend((Bits(w, 12, 1) << 5) | Bits(w, 2, 5), 6);

    private static int Shift(uint w) => (int)((Bits(w, 12, 1) << 5) | Bits(w, 2, 5));

    private static int OffsetW(uint w) => (int)((Bits(w, 10, 3) << 3) | (Bits(w, 6, 1) << 2) | (Bits(w, 5, 1) << 6));

    private static int OffsetD(uint w) => (int)((Bits(w, 10, 3) << 3) | (Bits(w, 5, 2) << 6));

    private static int StackW(uint w) => (int)((Bits(w, 12, 1) << 5) | (Bits(w, 4, 3) << 2) | (Bits(w, 2, 2) << 6));

    private static int StackD(uint w) => (int)((Bits(w, 12, 1) << 5) | (Bits(w, 5, 2) << 3) | (Bits(w, 2, 3) << 6));

    private static int StackStoreW(uint w) => (int)((Bits(w, 9, 4) << 2) | (Bits(w, 7, 2) << 6));

    private static int StackStoreD(uint w) => (int)((Bits(w, 10, 3) << 3) | (Bits(w, 7, 3) << 6));

    private static int JumpOffset(uint w) => SignExtend(
        (Bits(w, 12, 1) << 11) | (Bits(w, 11, 1) << 4) | (Bits(w, 9, 2) << 8) | (Bits(w, 8, 1) << 10) | (Bits(w, 7, 1) << 6)
        | (Bits(w, 6, 1) << 7) | (Bits(w, 3, 3) << 1) | (Bits(w, 2, 1) << 5), 12);

    private static int BranchOffset(uint w) => SignExtend(
        (Bits(w, 12, 1) << 8) | (Bits(w, 10, 2) << 3) | (Bits(w, 5, 2) << 6) | (Bits(w, 3, 2) << 1) | (Bits(w, 2, 1) << 5), 9);

    private static uint R(uint opcode, uint funct3, uint funct7, uint rd, uint rs1, uint rs2) =>
        (funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;

    private static uint I(uint opcode, uint funct3, uint rd, uint rs1, int imm) =>
        ((uint)imm << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;

    private static uint S(uint opcode, uint funct3, uint rs1, uint rs2, int imm) =>
        (Bits((uint)imm, 5, 7) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (Bits((uint)imm, 0, 5) << 7) | opcode;

    private static uint B(uint funct3, uint rs1, int offset)
    {
        var u = (uint)offset;
        return (Bits(u, 12, 1) << 31) | (Bits(u, 5, 6) << 25) | (rs1 << 15) | (funct3 << 12) | (Bits(u, 1, 4) << 8) | (Bits(u, 11, 1) << 7) | Branch;
    }

    private static uint J(uint rd, int offset)
    {
        var u = (uint)offset;
        return (Bits(u, 20, 1) << 31) | (Bits(u, 1, 10) << 21) | (Bits(u, 11, 1) << 20) | (Bits(u, 12, 8) << 12) | (rd << 7) | JalOp;
    }
}
