namespace Godwit.Oracle.Tests.Images;

/// <summary>
/// The code that runs the cases one after the other, in M-mode at the start of memory. For each it loads all registers from the record, goes
/// to the case with MRET, and stores all registers when the ECALL at the case's end traps. A trap elsewhere is noted in the record; the
/// instruction is skipped, or, if it is not one of the case's own, the case has ended there. At the end it powers the machine off.
/// </summary>
internal static class Runtime
{
    private const int Mscratch = 0x340, Mepc = 0x341, Mcause = 0x342, Mtval = 0x343, Mstatus = 0x300, Mie = 0x304, Mtvec = 0x305;
    private const int Menvcfg = 0x30a, Senvcfg = 0x10a, Pmpcfg0 = 0x3a0, Pmpaddr0 = 0x3b0, Fcsr = 3;

    // CBZE, CBCFE, CBIE = flush.
    private const int CacheBlocksAllowed = 0xd0;
    private const ulong FloatDirty = 3 << 13;
    private const int MaximumTraps = 200;

    public static byte[] Build(ulong firstRecord, int count)
    {
        var a = new Assembler();
        Start(a, firstRecord);
        Next(a, firstRecord + ((ulong)count * CaseRecord.Size));
        Trap(a);
        Finish(a);
        // The handler's address is known only when the code is: LA is the second instruction, and the code starts at 2^31.
        var code = a.ToArray();
        BitConverter.TryWriteBytes(code.AsSpan(4), BitConverter.ToUInt32(code, 4) | (uint)(a.OffsetOf("trap") << 20));
        return code;
    }

    private static void Start(Assembler a, ulong firstRecord)
    {
        a.Immediate(0x17, 0, 1, 0, 0);
        a.Addi(1, 1, 0);
        a.Csrrw(0, Mtvec, 1);
        a.Csrrw(0, Mie, 0);
        // All memory for the lower modes too.
        a.Addi(1, 0, -1);
        a.Csrrw(0, Pmpaddr0, 1);
        a.Addi(1, 0, 0x1f);
        a.Csrrw(0, Pmpcfg0, 1);
        a.Addi(1, 0, CacheBlocksAllowed);
        a.Csrrw(0, Menvcfg, 1);
        a.Csrrw(0, Senvcfg, 1);
        a.Load(31, firstRecord);
    }

    private static void Next(Assembler a, ulong end)
    {
        a.Label("next");
        a.Load(1, end);
        a.Bltu(31, 1, "run");
        a.Load(1, 0x100000);
        a.Load(2, 0x5555);
        a.Sw(2, 0, 1);
        a.Label("off");
        a.Wfi();
        a.Beq(0, 0, "off");

        a.Label("run");
        a.Csrrw(0, Mscratch, 31);
        a.Load(1, FloatDirty);
        a.Csrrs(0, Mstatus, 1);
        for (var i = 0; i < 32; i++)
            a.Fld(i, CaseRecord.F + (8 * i), 31);
        a.Ld(1, CaseRecord.Fcsr, 31);
        a.Csrrw(0, Fcsr, 1);
        a.Ld(1, CaseRecord.Status, 31);
        a.Csrrw(0, Mstatus, 1);
        a.Ld(1, CaseRecord.Entry, 31);
        a.Csrrw(0, Mepc, 1);
        for (var i = 1; i < 32; i++)
            a.Ld(i, 8 * i, 31);
        a.Mret();
    }

    private static void Trap(Assembler a)
    {
        a.Label("trap");
        a.Csrrw(31, Mscratch, 31);
        a.Sd(30, 240, 31);
        a.Sd(29, 232, 31);
        a.Sd(28, 224, 31);
        a.Csrrs(30, Mepc, 0);
        a.Ld(29, CaseRecord.End, 31);
        a.Beq(30, 29, "finish");

        a.Ld(29, CaseRecord.TrapCount, 31);
        a.Addi(28, 29, 1);
        a.Sd(28, CaseRecord.TrapCount, 31);
        a.Addi(28, 29, -MaximumTraps);
        a.Beq(28, 0, "finish");
        a.Ld(28, CaseRecord.Start, 31);
        a.Sub(30, 30, 28);
        a.Ld(28, CaseRecord.TrapHash, 31);
        Mix(a, 30);
        a.Addi(29, 29, -CaseRecord.TrapSlots);
        a.Blt(29, 0, "note");
        a.Addi(29, 0, 0);
        a.Csrrs(30, Mcause, 0);
        Mix(a, 30);
        a.Csrrs(30, Mtval, 0);
        Mix(a, 30);
        a.Sd(28, CaseRecord.TrapHash, 31);
        a.Beq(0, 0, "noted");

        // x29 is the slot's number less the count of slots.
        a.Label("note");
        a.Sd(28, CaseRecord.TrapHash, 31);
        a.Slli(29, 29, 5);
        a.Add(29, 29, 31);
        const int Slot = CaseRecord.Traps + (CaseRecord.TrapSlots * CaseRecord.TrapSize);
        a.Sd(30, Slot + 16, 29);
        a.Csrrs(30, Mcause, 0);
        a.Sd(30, Slot, 29);
        a.Csrrs(30, Mtval, 0);
        a.Sd(30, Slot + 8, 29);
        a.Csrrs(30, Mstatus, 0);
        a.Sd(30, Slot + 24, 29);

        a.Label("noted");
        a.Csrrs(30, Mcause, 0);
        a.Blt(30, 0, "interrupted");
        a.Csrrs(30, Mepc, 0);
        a.Ld(29, CaseRecord.Start, 31);
        a.Bltu(30, 29, "finish");
        a.Ld(29, CaseRecord.End, 31);
        a.Bgeu(30, 29, "finish");
        a.Lhu(29, 0, 30);
        a.Andi(29, 29, 3);
        a.Addi(29, 29, -3);
        a.Bne(29, 0, "short");
        a.Addi(30, 30, 2);
        a.Label("short");
        a.Addi(30, 30, 2);
        a.Csrrw(0, Mepc, 30);
        a.Label("return");
        a.Ld(30, 240, 31);
        a.Ld(29, 232, 31);
        a.Ld(28, 224, 31);
        a.Csrrw(31, Mscratch, 31);
        a.Mret();

        a.Label("interrupted");
        a.Csrrw(0, Mie, 0);
        a.Beq(0, 0, "return");
    }

    private static void Finish(Assembler a)
    {
        a.Label("finish");
        for (var i = 1; i < 28; i++)
            a.Sd(i, 8 * i, 31);
        a.Csrrs(1, Mscratch, 0);
        a.Sd(1, 248, 31);
        a.Csrrs(1, Mstatus, 0);
        a.Sd(1, CaseRecord.Status, 31);
        a.Load(1, FloatDirty);
        a.Csrrs(0, Mstatus, 1);
        for (var i = 0; i < 32; i++)
            a.Fsd(i, CaseRecord.F + (8 * i), 31);
        a.Csrrs(1, Fcsr, 0);
        a.Sd(1, CaseRecord.Fcsr, 31);
        a.Addi(31, 31, CaseRecord.Size);
        a.Beq(0, 0, "next");
    }

    // The hash in x28, times 33, plus the register.
    private static void Mix(Assembler a, int register)
    {
        a.Sd(register, CaseRecord.TrapHash, 31);
        a.Slli(register, 28, 5);
        a.Add(28, 28, register);
        a.Ld(register, CaseRecord.TrapHash, 31);
        a.Add(28, 28, register);
    }
}
