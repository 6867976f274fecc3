using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Translation;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>Loads and stores that the TLB doesn't serve.</summary>
internal sealed class MemoryUnit(Hart hart)
{
    private readonly HartState _state = hart.State;
    private readonly Mmu _mmu = hart.Mmu;

    /// <returns>False: the MMU has the fault.</returns>
    public bool Execute(in Instruction i)
    {
        var address = _state.X[i.Rs1] + (ulong)i.Imm;
        var size = Size(i.Opcode);
        if (i.Opcode is >= Opcode.Sb and <= Opcode.Sd)
            return _mmu.TryStore(address, size, _state.X[i.Rs2]);
        if (i.Opcode is Opcode.Fsw or Opcode.Fsd)
            return _mmu.TryStore(address, size, _state.F[i.Rs2]);
        if (!_mmu.TryLoad(address, size, out var value))
            return false;
        switch (i.Opcode)
        {
            case Opcode.Flw:
                SetFloat(in i, 0xffffffff_00000000 | value);
                break;
            case Opcode.Fld:
                SetFloat(in i, value);
                break;
            default:
                _state.X[i.Rd] = i.Opcode switch
                {
                    Opcode.Lb => (ulong)(sbyte)value,
                    Opcode.Lh => (ulong)(short)value,
                    Opcode.Lw => (ulong)(int)value,
                    _ => value,
                };
                break;
        }

        return true;
    }

    private static int Size(Opcode opcode) => opcode switch
    {
        Opcode.Lb or Opcode.Lbu or Opcode.Sb => 1,
        Opcode.Lh or Opcode.Lhu or Opcode.Sh => 2,
        Opcode.Lw or Opcode.Lwu or Opcode.Sw or Opcode.Flw or Opcode.Fsw => 4,
        _ => 8,
    };

    private void SetFloat(in Instruction i, ulong value)
    {
        _state.F[i.Rd] = value;
        _state.Mstatus |= Status.Fs;
    }
}
