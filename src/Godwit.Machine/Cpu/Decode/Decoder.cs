using static Godwit.Machine.Cpu.Decode.Opcode;

namespace Godwit.Machine.Cpu.Decode;

/// <summary>Decodes the 32-bit instructions of RV64GC and its extensions into <see cref="Instruction"/>s.</summary>
/// <param name="model">Which extensions there are; what isn't there is illegal.</param>
public sealed class Decoder(CpuModel model)
{
    public const int LastOffset = byte.MaxValue - 4;

    private readonly FloatDecoder _float = new(model);
    private readonly BitmanipDecoder _bitmanip = new(model);

    /// <summary>Decodes one instruction.</summary>
    /// <param name="word">Its bits; of a compressed one only the low 16 count.</param>
    /// <param name="offset">Where it stands, in bytes from the block's start, at most <see cref="LastOffset"/>.</param>
    public Instruction Decode(uint word, int offset)
    {
        var compressed = (word & 3) != 3;
        var length = compressed ? 2 : 4;
        if (compressed)
            word = CompressedDecoder.Expand(word & 0xffff);
        var instruction = new Instruction
        {
            Rd = (byte)((word >> 7) & 31),
            Rs1 = (byte)((word >> 15) & 31),
            Rs2 = (byte)((word >> 20) & 31),
            Length = (byte)length,
            Next = (byte)(offset + length),
        };
        Decode(word, offset, ref instruction);
        return instruction;
    }

    private void Decode(uint word, int offset, ref Instruction i)
    {
        switch (word & 0x7f)
        {
            case 0x03:
                SetLoad(word, ref i);
                break;
            case 0x07 or 0x27 or 0x43 or 0x47 or 0x4b or 0x4f or 0x53:
                _float.Decode(word, ref i);
                break;
            case 0x0f:
                SetFence(word, ref i);
                break;
            case 0x13:
                SetImmediate(word, ref i);
                break;
            case 0x17:
                Set(ref i, Auipc, offset + (int)(word & 0xfffff000));
                ToRegister(ref i);
                break;
            case 0x1b:
                SetImmediateWord(word, ref i);
                break;
            case 0x23:
                SetStore(word, ref i);
                break;
            case 0x2f:
                SetAtomic(word, ref i);
                break;
            case 0x33:
                SetRegister(word, ref i);
                break;
            case 0x37:
                Set(ref i, LoadConstant, (int)(word & 0xfffff000));
                ToRegister(ref i);
                break;
            case 0x3b:
                SetRegisterWord(word, ref i);
                break;
            case 0x63:
                SetBranch(word, offset, ref i);
                break;
            case 0x67:
                Set(ref i, Funct3(word) == 0 ? Jalr : Illegal, ImmI(word));
                ToRegister(ref i);
                break;
            case 0x6f:
                Set(ref i, Jal, offset + ImmJ(word));
                ToRegister(ref i);
                break;
            case 0x73:
                SetSystem(word, ref i);
                break;
        }
    }

    private static void SetLoad(uint word, ref Instruction i)
    {
        Set(ref i, Funct3(word) switch { 0 => Lb, 1 => Lh, 2 => Lw, 3 => Ld, 4 => Lbu, 5 => Lhu, 6 => Lwu, _ => Illegal }, ImmI(word));
        ToRegister(ref i);
    }

    private static void SetStore(uint word, ref Instruction i) =>
        Set(ref i, Funct3(word) switch { 0 => Sb, 1 => Sh, 2 => Sw, 3 => Sd, _ => Illegal }, ImmS(word));

    private static void SetBranch(uint word, int offset, ref Instruction i) =>
        Set(ref i, Funct3(word) switch { 0 => Beq, 1 => Bne, 4 => Blt, 5 => Bge, 6 => Bltu, 7 => Bgeu, _ => Illegal }, offset + ImmB(word));

    private void SetImmediate(uint word, ref Instruction i)
    {
        var imm = ImmI(word);
        var opcode = Funct3(word) switch
        {
            0 => Addi,
            2 => Slti,
            3 => Sltiu,
            4 => Xori,
            6 => Ori,
            7 => Andi,
            1 when word >> 26 == 0 => Slli,
            5 when word >> 26 == 0 => Srli,
            5 when word >> 26 == 0x10 => Srai,
            _ => Illegal,
        };
        if (opcode is Slli or Srli or Srai)
            imm &= 63;
        if (opcode == Illegal)
            opcode = _bitmanip.Immediate(word, ref imm);
        if (opcode == Addi && i.Rs1 == 0)
            opcode = LoadConstant;
        else if (opcode == Addi && imm == 0)
            opcode = Move;
        Set(ref i, opcode, imm);
        ToRegisterOnly(ref i);
    }

    private void SetImmediateWord(uint word, ref Instruction i)
    {
        var imm = ImmI(word);
        var opcode = (Funct3(word), word >> 25) switch
        {
            (0, _) => Addiw,
            (1, 0) => Slliw,
            (5, 0) => Srliw,
            (5, 0x20) => Sraiw,
            _ => Illegal,
        };
        if (opcode is Slliw or Srliw or Sraiw)
            imm &= 31;
        if (opcode == Illegal)
            opcode = _bitmanip.ImmediateWord(word, ref imm);
        Set(ref i, opcode, imm);
        ToRegisterOnly(ref i);
    }

    private void SetRegister(uint word, ref Instruction i)
    {
        var opcode = (word >> 25, Funct3(word)) switch
        {
            (0, 0) => Add,
            (0, 1) => Sll,
            (0, 2) => Slt,
            (0, 3) => Sltu,
            (0, 4) => Xor,
            (0, 5) => Srl,
            (0, 6) => Or,
            (0, 7) => And,
            (0x20, 0) => Sub,
            (0x20, 5) => Sra,
            (1, 0) => Mul,
            (1, 1) => Mulh,
            (1, 2) => Mulhsu,
            (1, 3) => Mulhu,
            (1, 4) => Div,
            (1, 5) => Divu,
            (1, 6) => Rem,
            (1, 7) => Remu,
            _ => _bitmanip.Register(word),
        };
        if (opcode == Add && i.Rs1 == 0)
        {
            opcode = Move;
            i.Rs1 = i.Rs2;
        }

        Set(ref i, opcode, 0);
        ToRegisterOnly(ref i);
    }

    private void SetRegisterWord(uint word, ref Instruction i)
    {
        Set(ref i, (word >> 25, Funct3(word)) switch
        {
            (0, 0) => Addw,
            (0, 1) => Sllw,
            (0, 5) => Srlw,
            (0x20, 0) => Subw,
            (0x20, 5) => Sraw,
            (1, 0) => Mulw,
            (1, 4) => Divw,
            (1, 5) => Divuw,
            (1, 6) => Remw,
            (1, 7) => Remuw,
            _ => _bitmanip.RegisterWord(word),
        }, 0);
        ToRegisterOnly(ref i);
    }

    private static void SetAtomic(uint word, ref Instruction i)
    {
        var word64 = Funct3(word) == 3;
        if (!word64 && Funct3(word) != 2)
            return;
        var opcode = (word >> 27) switch
        {
            0x02 when i.Rs2 == 0 => LrW,
            0x03 => ScW,
            0x01 => AmoSwapW,
            0x00 => AmoAddW,
            0x04 => AmoXorW,
            0x0c => AmoAndW,
            0x08 => AmoOrW,
            0x10 => AmoMinW,
            0x14 => AmoMaxW,
            0x18 => AmoMinuW,
            0x1c => AmoMaxuW,
            _ => Illegal,
        };
        Set(ref i, opcode == Illegal || !word64 ? opcode : opcode + (LrD - LrW), 0);
        ToRegister(ref i);
    }

    private void SetFence(uint word, ref Instruction i)
    {
        var opcode = Funct3(word) switch
        {
            // pause is a fence with predecessor W and no successor.
            0 when word == 0x0100000f && model.Has("zihintpause") => Pause,
            0 => Fence,
            1 => FenceI,
            2 when i.Rd == 0 => CacheBlock(word >> 20),
            _ => Illegal,
        };
        Set(ref i, opcode, word >> 20);
    }

    private Opcode CacheBlock(uint function) => function switch
    {
        0 when model.Has("zicbom") => CboInval,
        1 when model.Has("zicbom") => CboClean,
        2 when model.Has("zicbom") => CboFlush,
        4 when model.Has("zicboz") => CboZero,
        _ => Illegal,
    };

    private void SetSystem(uint word, ref Instruction i)
    {
        var csr = (int)(word >> 20);
        switch (Funct3(word))
        {
            case 0:
                Set(ref i, Privileged(word), 0);
                break;
            case 1 or 2 or 3:
                Set(ref i, (Opcode)((uint)Csrrw + Funct3(word) - 1), csr);
                ToRegister(ref i);
                break;
            case 5 or 6 or 7:
                Set(ref i, (Opcode)((uint)Csrrwi + Funct3(word) - 5), csr);
                ToRegister(ref i);
                break;
        }
    }

    private Opcode Privileged(uint word) => word switch
    {
        0x00000073 => Ecall,
        0x00100073 => Ebreak,
        0x10200073 => Sret,
        0x30200073 => Mret,
        0x10500073 => Wfi,
        0x00d00073 when model.Has("zawrs") => WrsNto,
        0x01d00073 when model.Has("zawrs") => WrsSto,
        _ when (word & 0xfe007fff) == 0x12000073 => SfenceVma,
        _ => Illegal,
    };

    private static void Set(ref Instruction i, Opcode opcode, long imm)
    {
        i.Opcode = opcode;
        i.Imm = imm;
    }

    /// <summary>The result of this instruction is not for x0.</summary>
    private static void ToRegister(ref Instruction i)
    {
        if (i.Rd == 0)
            i.Rd = Instruction.Sink;
    }

    /// <summary>The same for an instruction that does nothing but give a result.</summary>
    private static void ToRegisterOnly(ref Instruction i)
    {
        if (i.Rd == 0 && i.Opcode != Illegal)
            i.Opcode = Nop;
    }

    private static uint Funct3(uint word) => (word >> 12) & 7;

    private static long ImmI(uint word) => (int)word >> 20;

    private static long ImmS(uint word) => ((int)(word & 0xfe000000) >> 20) | (int)((word >> 7) & 31);

    private static long ImmB(uint word) =>
        ((int)(word & 0x80000000) >> 19) | (int)(((word >> 7) & 1) << 11) | (int)(((word >> 25) & 63) << 5) | (int)(((word >> 8) & 15) << 1);

    private static long ImmJ(uint word) =>
        ((int)(word & 0x80000000) >> 11) | (int)(word & 0xff000) | (int)(((word >> 20) & 1) << 11) | (int)(((word >> 21) & 0x3ff) << 1);
}
