using static Godwit.Machine.Cpu.Decode.Opcode;

namespace Godwit.Machine.Cpu.Decode;

/// <summary>Decodes F, D and Zfa. <see cref="Instruction.Imm"/> gets the rounding mode in bits 2:0 and rs3 in bits 12:8.</summary>
internal sealed class FloatDecoder(CpuModel model)
{
    private const int ToDouble = FmaddD - FmaddS;
    private const uint Single = 0, Double = 1;

    private readonly bool _zfa = model.Has("zfa");

    public void Decode(uint word, ref Instruction i)
    {
        var format = (word >> 25) & 3;
        var mode = (word >> 12) & 7;
        switch (word & 0x7f)
        {
            case 0x07:
                i.Opcode = mode switch { 2 => Flw, 3 => Fld, _ => Illegal };
                i.Imm = (int)word >> 20;
                return;
            case 0x27:
                i.Opcode = mode switch { 2 => Fsw, 3 => Fsd, _ => Illegal };
                i.Imm = ((int)(word & 0xfe000000) >> 20) | (int)((word >> 7) & 31);
                return;
            case 0x53:
                i.Opcode = Operation(word, mode);
                break;
            default:
                if (format > Double)
                    return;
                i.Opcode = (word & 0x7f) switch { 0x43 => FmaddS, 0x47 => FmsubS, 0x4b => FnmsubS, _ => FnmaddS };
                if (format == Double)
                    i.Opcode += ToDouble;
                break;
        }

        i.Imm = mode | ((word >> 27) << 8);
        if (GivesInteger(i.Opcode) && i.Rd == 0)
            i.Rd = Instruction.Sink;
    }

    private Opcode Operation(uint word, uint mode)
    {
        var format = (word >> 25) & 3;
        if (format > Double)
            return Illegal;
        var second = (word >> 20) & 31;
        var function = word >> 27;
        if (function == 0x08)
            return Convert(format, second);
        var opcode = function switch
        {
            0x00 => FaddS,
            0x01 => FsubS,
            0x02 => FmulS,
            0x03 => FdivS,
            0x0b when second == 0 => FsqrtS,
            0x04 when mode < 3 => (Opcode)((uint)FsgnjS + mode),
            0x05 when mode < 2 => (Opcode)((uint)FminS + mode),
            0x05 when mode < 4 && _zfa => (Opcode)((uint)FminmS + mode - 2),
            0x14 when mode < 3 => mode switch { 0 => FleS, 1 => FltS, _ => FeqS },
            0x14 when mode is 4 or 5 && _zfa => mode == 4 ? FleqS : FltqS,
            0x18 when second < 4 => second switch { 0 => FcvtWS, 1 => FcvtWuS, 2 => FcvtLS, _ => FcvtLuS },
            0x18 when second == 8 && mode == 1 && format == Double && _zfa => FcvtmodWD,
            0x1a when second < 4 => second switch { 0 => FcvtSW, 1 => FcvtSWu, 2 => FcvtSL, _ => FcvtSLu },
            0x1c when second == 0 && mode == 0 => FmvXW,
            0x1c when second == 0 && mode == 1 => FclassS,
            0x1e when second == 0 && mode == 0 => FmvWX,
            0x1e when second == 1 && mode == 0 && _zfa => FliS,
            _ => Illegal,
        };
        return opcode is Illegal or FcvtmodWD || format == Single ? opcode : Doubled(opcode);
    }

    private Opcode Convert(uint format, uint second) => (format, second) switch
    {
        (Single, 1) => FcvtSD,
        (Double, 0) => FcvtDS,
        (Single, 4) when _zfa => FroundS,
        (Single, 5) when _zfa => FroundnxS,
        (Double, 4) when _zfa => FroundD,
        (Double, 5) when _zfa => FroundnxD,
        _ => Illegal,
    };

    // The two lists in Opcode are alike up to fmaxm; behind it D has the two conversions to and from F.
    private static Opcode Doubled(Opcode single) => single <= FmaxmS ? single + ToDouble : single + (FcvtWD - FcvtWS);

    private static bool GivesInteger(Opcode opcode) =>
        opcode is (>= FcvtWS and <= FleqS) or (>= FcvtWD and <= FleqD) or FcvtmodWD;
}
