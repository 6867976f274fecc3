using static Godwit.Machine.Cpu.Decode.Opcode;

namespace Godwit.Machine.Cpu.Decode;

/// <summary>Decodes Zba, Zbb, Zbc and Zbs among the integer instructions.</summary>
internal sealed class BitmanipDecoder(CpuModel model)
{
    private readonly bool _zba = model.Has("zba");
    private readonly bool _zbb = model.Has("zbb");
    private readonly bool _zbc = model.Has("zbc");
    private readonly bool _zbs = model.Has("zbs");

    public Opcode Immediate(uint word, ref long imm)
    {
        var opcode = (Funct3(word), word >> 26) switch
        {
            (1, 0x12) when _zbs => Bclri,
            (1, 0x1a) when _zbs => Binvi,
            (1, 0x0a) when _zbs => Bseti,
            (5, 0x12) when _zbs => Bexti,
            (5, 0x18) when _zbb => Rori,
            _ => Illegal,
        };
        if (opcode != Illegal)
        {
            imm &= 63;
            return opcode;
        }

        return (Funct3(word), word >> 20) switch
        {
            (1, 0x600) when _zbb => Clz,
            (1, 0x601) when _zbb => Ctz,
            (1, 0x602) when _zbb => Cpop,
            (1, 0x604) when _zbb => SextB,
            (1, 0x605) when _zbb => SextH,
            (5, 0x287) when _zbb => OrcB,
            (5, 0x6b8) when _zbb => Rev8,
            _ => Illegal,
        };
    }

    public Opcode ImmediateWord(uint word, ref long imm)
    {
        if (_zba && Funct3(word) == 1 && word >> 26 == 2)
        {
            imm &= 63;
            return SlliUw;
        }

        if (_zbb && Funct3(word) == 5 && word >> 25 == 0x30)
        {
            imm &= 31;
            return Roriw;
        }

        return (Funct3(word), word >> 20) switch
        {
            (1, 0x600) when _zbb => Clzw,
            (1, 0x601) when _zbb => Ctzw,
            (1, 0x602) when _zbb => Cpopw,
            _ => Illegal,
        };
    }

    public Opcode Register(uint word) => (word >> 25, Funct3(word)) switch
    {
        (0x10, 2) when _zba => Sh1Add,
        (0x10, 4) when _zba => Sh2Add,
        (0x10, 6) when _zba => Sh3Add,
        (0x20, 4) when _zbb => Xnor,
        (0x20, 6) when _zbb => Orn,
        (0x20, 7) when _zbb => Andn,
        (0x05, 4) when _zbb => Min,
        (0x05, 5) when _zbb => Minu,
        (0x05, 6) when _zbb => Max,
        (0x05, 7) when _zbb => Maxu,
        (0x30, 1) when _zbb => Rol,
        (0x30, 5) when _zbb => Ror,
        (0x05, 1) when _zbc => Clmul,
        (0x05, 2) when _zbc => Clmulr,
        (0x05, 3) when _zbc => Clmulh,
        (0x24, 1) when _zbs => Bclr,
        (0x24, 5) when _zbs => Bext,
        (0x34, 1) when _zbs => Binv,
        (0x14, 1) when _zbs => Bset,
        _ => Illegal,
    };

    public Opcode RegisterWord(uint word) => (word >> 25, Funct3(word)) switch
    {
        (0x04, 0) when _zba => AddUw,
        (0x10, 2) when _zba => Sh1AddUw,
        (0x10, 4) when _zba => Sh2AddUw,
        (0x10, 6) when _zba => Sh3AddUw,
        (0x04, 4) when _zbb && (word >> 20 & 31) == 0 => ZextH,
        (0x30, 1) when _zbb => Rolw,
        (0x30, 5) when _zbb => Rorw,
        _ => Illegal,
    };

    private static uint Funct3(uint word) => (word >> 12) & 7;
}
