using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>F, D and Zfa: takes operands out of the registers, lets <see cref="Float32"/> and <see cref="Float64"/> compute, puts the result back.</summary>
internal sealed class FloatUnit(Hart hart)
{
    private const int Dynamic = 7, LastMode = 4;

    private readonly HartState _state = hart.State;
    private readonly SingleUnit _single = new(hart.State);
    private readonly DoubleUnit _double = new(hart.State);

    /// <returns>False: illegal, for floating point is off or the rounding mode is none.</returns>
    public bool Execute(in Instruction i)
    {
        if ((_state.Mstatus & Status.Fs) == 0)
            return false;
        var mode = RoundingMode.NearestEven;
        if (UsesMode(i.Opcode))
        {
            var encoded = i.RoundingMode == Dynamic ? _state.Frm : i.RoundingMode;
            if (encoded > LastMode)
                return false;
            mode = (RoundingMode)encoded;
        }

        var flags = (FloatFlags)_state.Fflags;
        if (i.Opcode < Opcode.FmaddD)
            _single.Execute(in i, mode, ref flags);
        else
            _double.Execute(in i, mode, ref flags);
        if ((byte)flags != _state.Fflags || !GivesInteger(i.Opcode))
        {
            _state.Fflags = (byte)flags;
            _state.Mstatus |= Status.Fs;
        }

        return true;
    }

    private static bool GivesInteger(Opcode opcode) => opcode is
        (>= Opcode.FcvtWS and <= Opcode.FleqS) or (>= Opcode.FcvtWD and <= Opcode.FleqD) or Opcode.FcvtmodWD;

    private static bool UsesMode(Opcode opcode) => opcode is
        (>= Opcode.FmaddS and <= Opcode.FsqrtS) or (>= Opcode.FcvtWS and <= Opcode.FcvtLuS) or (>= Opcode.FcvtSW and <= Opcode.FcvtSLu)
        or Opcode.FroundS or Opcode.FroundnxS
        or (>= Opcode.FmaddD and <= Opcode.FsqrtD) or (>= Opcode.FcvtSD and <= Opcode.FcvtLuD) or (>= Opcode.FcvtDW and <= Opcode.FcvtDLu)
        or Opcode.FroundD or Opcode.FroundnxD;
}
