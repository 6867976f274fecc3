namespace Godwit.Machine.Cpu.Decode;

/// <summary>What an <see cref="Instruction"/> does. Compressed instructions have become their full counterparts by now.</summary>
public enum Opcode : ushort
{
    Illegal, Nop,

    // No instruction: stands behind the last one of a block that goes on with the one at Imm.
    End,

    // What the main loop serves comes first, so that its switch is dense.
    // RV64I: constants and jumps. LoadConstant is lui, and addi from x0.
    LoadConstant, Auipc, Jal, Jalr, Beq, Bne, Blt, Bge, Bltu, Bgeu,

    // RV64I, F and D: memory.
    Lb, Lh, Lw, Ld, Lbu, Lhu, Lwu, Sb, Sh, Sw, Sd,
    Flw, Fld, Fsw, Fsd,

    // RV64I: arithmetic.
    Move, Addi, Slti, Sltiu, Xori, Ori, Andi, Slli, Srli, Srai,
    Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And,
    Addiw, Slliw, Srliw, Sraiw, Addw, Subw, Sllw, Srlw, Sraw,

    // M, Zba and Zbb: the commoner ones.
    Mul, Mulhu, Div, Divu, Rem, Remu, Mulw,
    AddUw, Sh1Add, Sh2Add, Sh3Add, Andn, ZextH,

    // F and Zfa.
    FmaddS, FmsubS, FnmsubS, FnmaddS, FaddS, FsubS, FmulS, FdivS, FsqrtS, FsgnjS, FsgnjnS, FsgnjxS, FminS, FmaxS, FminmS, FmaxmS,
    FcvtWS, FcvtWuS, FcvtLS, FcvtLuS, FmvXW, FclassS, FeqS, FltS, FleS, FltqS, FleqS, FcvtSW, FcvtSWu, FcvtSL, FcvtSLu, FmvWX,
    FliS, FroundS, FroundnxS,

    // D and Zfa.
    FmaddD, FmsubD, FnmsubD, FnmaddD, FaddD, FsubD, FmulD, FdivD, FsqrtD, FsgnjD, FsgnjnD, FsgnjxD, FminD, FmaxD, FminmD, FmaxmD,
    FcvtSD, FcvtDS, FcvtWD, FcvtWuD, FcvtLD, FcvtLuD, FmvXD, FclassD, FeqD, FltD, FleD, FltqD, FleqD, FcvtDW, FcvtDWu, FcvtDL, FcvtDLu, FmvDX,
    FliD, FroundD, FroundnxD, FcvtmodWD,

    // M: the rest.
    Mulh, Mulhsu, Divw, Divuw, Remw, Remuw,

    // Zba: the rest.
    Sh1AddUw, Sh2AddUw, Sh3AddUw, SlliUw,

    // Zbb: the rest.
    Orn, Xnor, Clz, Ctz, Cpop, Clzw, Ctzw, Cpopw, Max, Maxu, Min, Minu,
    SextB, SextH, Rol, Ror, Rori, Rolw, Rorw, Roriw, OrcB, Rev8,

    // Zbc and Zbs.
    Clmul, Clmulh, Clmulr,
    Bclr, Bclri, Bext, Bexti, Binv, Binvi, Bset, Bseti,

    // A.
    LrW, ScW, AmoSwapW, AmoAddW, AmoXorW, AmoAndW, AmoOrW, AmoMinW, AmoMaxW, AmoMinuW, AmoMaxuW,
    LrD, ScD, AmoSwapD, AmoAddD, AmoXorD, AmoAndD, AmoOrD, AmoMinD, AmoMaxD, AmoMinuD, AmoMaxuD,

    // Up to here a block goes on with the next instruction.
    Fence,
    LastPlain = Fence,

    // What ends a block, besides jumps. Zicbom, Zicboz, and the privileged instructions.
    CboInval, CboClean, CboFlush, CboZero, Pause, FenceI, Ecall, Ebreak, Sret, Mret, Wfi, SfenceVma, WrsNto, WrsSto,
    Csrrw, Csrrs, Csrrc, Csrrwi, Csrrsi, Csrrci,
}
