namespace Godwit.Oracle.Tests.Instructions;

/// <summary>The fields of an encoding, and with them the bits that are fixed.</summary>
/// <param name="Mask">The bits that tell the instruction from others.</param>
internal sealed record InstructionFormat(string Name, uint Mask, params Operand[] Operands)
{
    private static readonly Operand Rd = new(OperandKind.Rd, 7, 5);
    private static readonly Operand Rs1 = new(OperandKind.Rs, 15, 5);
    private static readonly Operand Rs2 = new(OperandKind.Rs, 20, 5);
    private static readonly Operand Base = new(OperandKind.Base, 15, 5);
    private static readonly Operand Fd = new(OperandKind.Fd, 7, 5);
    private static readonly Operand Fs1 = new(OperandKind.Fs, 15, 5);
    private static readonly Operand Fs2 = new(OperandKind.Fs, 20, 5);
    private static readonly Operand Fs3 = new(OperandKind.Fs, 27, 5);
    private static readonly Operand Rm = new(OperandKind.Rounding, 12, 3);
    private static readonly Operand Csr = new(OperandKind.Csr, 20, 12);
    private static readonly Operand Imm12 = new(OperandKind.Immediate, 20, 12);
    private static readonly Operand Imm7 = new(OperandKind.Immediate, 25, 7);
    private static readonly Operand Imm5 = new(OperandKind.Immediate, 7, 5);
    private static readonly Operand Index = new(OperandKind.Immediate, 15, 5);
    private static readonly Operand CRd = new(OperandKind.Rd, 7, 5);
    private static readonly Operand CRs1 = new(OperandKind.Rs, 7, 5);
    private static readonly Operand CRs2 = new(OperandKind.Rs, 2, 5);
    private static readonly Operand CFd = new(OperandKind.Fd, 7, 5);
    private static readonly Operand CFs2 = new(OperandKind.Fs, 2, 5);
    private static readonly Operand RdPrimeHigh = new(OperandKind.RdPrime, 7, 3);
    private static readonly Operand RsPrimeHigh = new(OperandKind.RsPrime, 7, 3);
    private static readonly Operand BasePrime = new(OperandKind.BasePrime, 7, 3);
    private static readonly Operand RdPrime = new(OperandKind.RdPrime, 2, 3);
    private static readonly Operand RsPrime = new(OperandKind.RsPrime, 2, 3);
    private static readonly Operand FdPrime = new(OperandKind.FdPrime, 2, 3);
    private static readonly Operand FsPrime = new(OperandKind.FsPrime, 2, 3);
    private static readonly Operand CImm5 = new(OperandKind.Immediate, 2, 5);
    private static readonly Operand CImm1 = new(OperandKind.Immediate, 12, 1);
    private static readonly Operand CImm3 = new(OperandKind.Immediate, 10, 3);
    private static readonly Operand CImm2 = new(OperandKind.Immediate, 5, 2);
    private static readonly Operand CImm6 = new(OperandKind.Immediate, 7, 6);
    private static readonly Operand CImm8 = new(OperandKind.Immediate, 5, 8);
    private static readonly Operand CImm11 = new(OperandKind.Immediate, 2, 11);

    private static readonly Dictionary<string, InstructionFormat> All = new InstructionFormat[]
    {
        new("None", 0xffffffff),
        new("R", 0xfe00707f, Rd, Rs1, Rs2),
        new("R1", 0xfff0707f, Rd, Rs1),
        new("I", 0x0000707f, Rd, Rs1, Imm12),
        new("Shift6", 0xfc00707f, Rd, Rs1, new Operand(OperandKind.Immediate, 20, 6)),
        new("Shift5", 0xfe00707f, Rd, Rs1, new Operand(OperandKind.Immediate, 20, 5)),
        new("U", 0x0000007f, Rd, new Operand(OperandKind.Immediate, 12, 20)),
        new("Jal", 0x0000007f, Rd, new Operand(OperandKind.Immediate, 12, 20)),
        new("Jalr", 0x0000707f, Rd, Rs1, Imm12),
        new("Branch", 0x0000707f, Rs1, Rs2, Imm7, Imm5),
        new("Load", 0x0000707f, Rd, Imm12, Base),
        new("Store", 0x0000707f, Rs2, Imm7, Imm5, Base),
        new("FLoad", 0x0000707f, Fd, Imm12, Base),
        new("FStore", 0x0000707f, Fs2, Imm7, Imm5, Base),
        new("Amo", 0xf800707f, Rd, Rs2, Base, new Operand(OperandKind.Immediate, 25, 2)),
        new("LoadReserved", 0xf9f0707f, Rd, Base, new Operand(OperandKind.Immediate, 25, 2)),
        new("CacheBlock", 0xfff07fff, Base),
        new("Prefetch", 0x01f07fff, Base, Imm7),
        new("Fence", 0x0000707f, Rd, Rs1, Imm12),
        new("FenceVma", 0xfe007fff, Rs1, Rs2),
        new("Csr", 0x0000707f, Rd, Csr, Rs1),
        new("CsrImmediate", 0x0000707f, Rd, Csr, Index),
        new("F3Round", 0xfe00007f, Fd, Fs1, Fs2, Rm),
        new("F3", 0xfe00707f, Fd, Fs1, Fs2),
        new("F4Round", 0x0600007f, Fd, Fs1, Fs2, Fs3, Rm),
        new("F2Round", 0xfff0007f, Fd, Fs1, Rm),
        new("FImmediate", 0xfff0707f, Fd, Index),
        new("FCompare", 0xfe00707f, Rd, Fs1, Fs2),
        new("FToXRound", 0xfff0007f, Rd, Fs1, Rm),
        new("FToX", 0xfff0707f, Rd, Fs1),
        new("XToFRound", 0xfff0007f, Fd, Rs1, Rm),
        new("XToF", 0xfff0707f, Fd, Rs1),
        new("CNone", 0xffff),
        new("CAddSpN", 0xe003, RdPrime, CImm8),
        new("CLoad", 0xe003, RdPrime, CImm3, CImm2, BasePrime),
        new("CStore", 0xe003, RsPrime, CImm3, CImm2, BasePrime),
        new("CFLoad", 0xe003, FdPrime, CImm3, CImm2, BasePrime),
        new("CFStore", 0xe003, FsPrime, CImm3, CImm2, BasePrime),
        new("CImmediate", 0xe003, CRd, CImm1, CImm5),
        new("CAddSp", 0xef83, CImm1, CImm5),
        new("CShift", 0xec03, RdPrimeHigh, CImm1, CImm5),
        new("CArithmetic", 0xfc63, RdPrimeHigh, RsPrime),
        new("CJump", 0xe003, CImm11),
        new("CBranch", 0xe003, RsPrimeHigh, CImm3, CImm5),
        new("CJumpRegister", 0xf07f, CRs1),
        new("CMove", 0xf003, CRd, CRs2),
        new("CSpLoad", 0xe003, CRd, CImm1, CImm5),
        new("CSpFLoad", 0xe003, CFd, CImm1, CImm5),
        new("CSpStore", 0xe003, CRs2, CImm6),
        new("CSpFStore", 0xe003, CFs2, CImm6),
    }.ToDictionary(f => f.Name, StringComparer.Ordinal);

    public static InstructionFormat Named(string name) => All[name];
}
