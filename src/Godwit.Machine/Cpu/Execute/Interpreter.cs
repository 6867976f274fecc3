using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Godwit.Machine.Cpu.Blocks;
using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Translation;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>Executes blocks until something wants the hart's attention. The main loop serves the common instructions, and loads and stores
/// that the TLB knows; atomics, floating point and the rest are next door.</summary>
/// <remarks>The loop keeps what it needs in the host's registers as long as it makes few calls: whatever is uncommon shares one.</remarks>
internal sealed class Interpreter(Hart hart)
{
    private readonly HartState _state = hart.State;
    private readonly Mmu _mmu = hart.Mmu;
    private readonly BlockCache _blocks = hart.Blocks;
    private readonly MemoryUnit _memory = new(hart);
    private readonly AtomicUnit _atomics = new(hart);
    private readonly FloatUnit _floats = new(hart);
    private readonly SystemUnit _system = new(hart);

    private enum Outcome
    {
        Done,
        Illegal,

        /// <summary>The MMU has the reason.</summary>
        Fault,
    }

    /// <summary>Runs from state.Pc on, and leaves there where to go on.</summary>
    // Called once and busy for minutes, it must not begin in code that was compiled in a hurry or ahead of time for any processor.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        ref var x = ref _state.X;
        var pc = _state.Pc;

    newMode:
        var tlb = _mmu.Data;

    nextBlock:
        if (hart.HasAttention)
        {
            _state.Pc = pc;
            return;
        }

        if (!_blocks.TryFind(pc, out var code))
        {
            if (_blocks.Load(pc) is not { } loaded)
            {
                pc = Fault(pc);
                goto newMode;
            }

            code = loaded;
        }

        for (ref readonly var i = ref code[0]; ; i = ref Next(in i))
        {
            switch (i.Opcode)
            {
                case Opcode.End:
                    _state.Retired += i.Index;
                    pc += (ulong)i.Imm;
                    goto nextBlock;
                case Opcode.Nop:
                    continue;
                case Opcode.LoadConstant:
                    x[i.Rd] = (ulong)i.Imm;
                    continue;
                case Opcode.Auipc:
                    x[i.Rd] = pc + (ulong)i.Imm;
                    continue;
                case Opcode.Jal:
                    _state.Retired += i.Index + 1u;
                    x[i.Rd] = pc + i.Next;
                    pc += (ulong)i.Imm;
                    goto nextBlock;
                case Opcode.Jalr:
                    _state.Retired += i.Index + 1u;
                    var target = (x[i.Rs1] + (ulong)i.Imm) & ~1UL;
                    x[i.Rd] = pc + i.Next;
                    pc = target;
                    goto nextBlock;
                case Opcode.Beq:
                    if (x[i.Rs1] == x[i.Rs2])
                        goto branch;
                    continue;
                case Opcode.Bne:
                    if (x[i.Rs1] != x[i.Rs2])
                        goto branch;
                    continue;
                case Opcode.Blt:
                    if ((long)x[i.Rs1] < (long)x[i.Rs2])
                        goto branch;
                    continue;
                case Opcode.Bge:
                    if ((long)x[i.Rs1] >= (long)x[i.Rs2])
                        goto branch;
                    continue;
                case Opcode.Bltu:
                    if (x[i.Rs1] < x[i.Rs2])
                        goto branch;
                    continue;
                case Opcode.Bgeu:
                    if (x[i.Rs1] >= x[i.Rs2])
                        goto branch;
                    continue;

                case Opcode.Lb:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out byte value))
                        goto uncommon;
                    x[i.Rd] = (ulong)(sbyte)value;
                    continue;
                }

                case Opcode.Lh:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ushort value))
                        goto uncommon;
                    x[i.Rd] = (ulong)(short)value;
                    continue;
                }

                case Opcode.Lw:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out uint value))
                        goto uncommon;
                    x[i.Rd] = (ulong)(int)value;
                    continue;
                }

                case Opcode.Ld:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ulong value))
                        goto uncommon;
                    x[i.Rd] = value;
                    continue;
                }

                case Opcode.Lbu:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out byte value))
                        goto uncommon;
                    x[i.Rd] = value;
                    continue;
                }

                case Opcode.Lhu:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ushort value))
                        goto uncommon;
                    x[i.Rd] = value;
                    continue;
                }

                case Opcode.Lwu:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out uint value))
                        goto uncommon;
                    x[i.Rd] = value;
                    continue;
                }

                case Opcode.Sb:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (byte)x[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.Sh:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (ushort)x[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.Sw:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (uint)x[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.Sd:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, x[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.Move:
                    x[i.Rd] = x[i.Rs1];
                    continue;
                case Opcode.Addi:
                    x[i.Rd] = x[i.Rs1] + (ulong)i.Imm;
                    continue;
                case Opcode.Slti:
                    x[i.Rd] = (long)x[i.Rs1] < i.Imm ? 1UL : 0;
                    continue;
                case Opcode.Sltiu:
                    x[i.Rd] = x[i.Rs1] < (ulong)i.Imm ? 1UL : 0;
                    continue;
                case Opcode.Xori:
                    x[i.Rd] = x[i.Rs1] ^ (ulong)i.Imm;
                    continue;
                case Opcode.Ori:
                    x[i.Rd] = x[i.Rs1] | (ulong)i.Imm;
                    continue;
                case Opcode.Andi:
                    x[i.Rd] = x[i.Rs1] & (ulong)i.Imm;
                    continue;
                case Opcode.Slli:
                    x[i.Rd] = x[i.Rs1] << (int)i.Imm;
                    continue;
                case Opcode.Srli:
                    x[i.Rd] = x[i.Rs1] >> (int)i.Imm;
                    continue;
                case Opcode.Srai:
                    x[i.Rd] = (ulong)((long)x[i.Rs1] >> (int)i.Imm);
                    continue;
                case Opcode.Add:
                    x[i.Rd] = x[i.Rs1] + x[i.Rs2];
                    continue;
                case Opcode.Sub:
                    x[i.Rd] = x[i.Rs1] - x[i.Rs2];
                    continue;
                case Opcode.Sll:
                    x[i.Rd] = x[i.Rs1] << (int)x[i.Rs2];
                    continue;
                case Opcode.Slt:
                    x[i.Rd] = (long)x[i.Rs1] < (long)x[i.Rs2] ? 1UL : 0;
                    continue;
                case Opcode.Sltu:
                    x[i.Rd] = x[i.Rs1] < x[i.Rs2] ? 1UL : 0;
                    continue;
                case Opcode.Xor:
                    x[i.Rd] = x[i.Rs1] ^ x[i.Rs2];
                    continue;
                case Opcode.Srl:
                    x[i.Rd] = x[i.Rs1] >> (int)x[i.Rs2];
                    continue;
                case Opcode.Sra:
                    x[i.Rd] = (ulong)((long)x[i.Rs1] >> (int)x[i.Rs2]);
                    continue;
                case Opcode.Or:
                    x[i.Rd] = x[i.Rs1] | x[i.Rs2];
                    continue;
                case Opcode.And:
                    x[i.Rd] = x[i.Rs1] & x[i.Rs2];
                    continue;
                case Opcode.Addiw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] + (int)i.Imm);
                    continue;
                case Opcode.Slliw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] << (int)i.Imm);
                    continue;
                case Opcode.Srliw:
                    x[i.Rd] = (ulong)(int)((uint)x[i.Rs1] >> (int)i.Imm);
                    continue;
                case Opcode.Sraiw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] >> (int)i.Imm);
                    continue;
                case Opcode.Addw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] + (int)x[i.Rs2]);
                    continue;
                case Opcode.Subw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] - (int)x[i.Rs2]);
                    continue;
                case Opcode.Sllw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] << (int)x[i.Rs2]);
                    continue;
                case Opcode.Srlw:
                    x[i.Rd] = (ulong)(int)((uint)x[i.Rs1] >> (int)x[i.Rs2]);
                    continue;
                case Opcode.Sraw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] >> (int)x[i.Rs2]);
                    continue;
                case Opcode.Mul:
                    x[i.Rd] = x[i.Rs1] * x[i.Rs2];
                    continue;
                case Opcode.Mulhu:
                    x[i.Rd] = Math.BigMul(x[i.Rs1], x[i.Rs2], out _);
                    continue;
                case Opcode.Mulw:
                    x[i.Rd] = (ulong)((int)x[i.Rs1] * (int)x[i.Rs2]);
                    continue;
                case Opcode.Div:
                    if (x[i.Rs2] is 0 or ulong.MaxValue)
                        goto uncommon;
                    x[i.Rd] = (ulong)((long)x[i.Rs1] / (long)x[i.Rs2]);
                    continue;
                case Opcode.Divu:
                    x[i.Rd] = x[i.Rs2] == 0 ? ulong.MaxValue : x[i.Rs1] / x[i.Rs2];
                    continue;
                case Opcode.Rem:
                    if (x[i.Rs2] is 0 or ulong.MaxValue)
                        goto uncommon;
                    x[i.Rd] = (ulong)((long)x[i.Rs1] % (long)x[i.Rs2]);
                    continue;
                case Opcode.Remu:
                    x[i.Rd] = x[i.Rs2] == 0 ? x[i.Rs1] : x[i.Rs1] % x[i.Rs2];
                    continue;
                case Opcode.AddUw:
                    x[i.Rd] = (uint)x[i.Rs1] + x[i.Rs2];
                    continue;
                case Opcode.Sh1Add:
                    x[i.Rd] = (x[i.Rs1] << 1) + x[i.Rs2];
                    continue;
                case Opcode.Sh2Add:
                    x[i.Rd] = (x[i.Rs1] << 2) + x[i.Rs2];
                    continue;
                case Opcode.Sh3Add:
                    x[i.Rd] = (x[i.Rs1] << 3) + x[i.Rs2];
                    continue;
                case Opcode.Andn:
                    x[i.Rd] = x[i.Rs1] & ~x[i.Rs2];
                    continue;
                case Opcode.ZextH:
                    x[i.Rd] = (ushort)x[i.Rs1];
                    continue;

                case Opcode.Flw:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if ((_state.Mstatus & Status.Fs) == 0)
                        goto uncommon;
                    if (!tlb.TryRead(address, out uint value))
                        goto uncommon;
                    _state.F[i.Rd] = 0xffffffff_00000000 | value;
                    _state.Mstatus |= Status.Fs;
                    continue;
                }

                case Opcode.Fld:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if ((_state.Mstatus & Status.Fs) == 0)
                        goto uncommon;
                    if (!tlb.TryRead(address, out ulong value))
                        goto uncommon;
                    _state.F[i.Rd] = value;
                    _state.Mstatus |= Status.Fs;
                    continue;
                }

                case Opcode.Fsw:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if ((_state.Mstatus & Status.Fs) == 0)
                        goto uncommon;
                    if (!tlb.TryWrite(address, (uint)_state.F[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.Fsd:
                {
                    var address = x[i.Rs1] + (ulong)i.Imm;
                    if ((_state.Mstatus & Status.Fs) == 0)
                        goto uncommon;
                    if (!tlb.TryWrite(address, _state.F[i.Rs2]))
                        goto uncommon;
                    continue;
                }

                case Opcode.FaddD:
                    if (!HostDouble.TryAdd(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FsubD:
                    if (!HostDouble.TrySubtract(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FmulD:
                    if (!HostDouble.TryMultiply(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FdivD:
                    if (!HostDouble.TryDivide(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FsqrtD:
                    if (!HostDouble.TrySquareRoot(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FmaddD:
                    if (!HostDouble.TryMultiplyAdd(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FmsubD:
                    if (!HostDouble.TryMultiplySubtract(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FnmsubD:
                    if (!HostDouble.TryNegatedMultiplySubtract(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FnmaddD:
                    if (!HostDouble.TryNegatedMultiplyAdd(_state, in i))
                        goto uncommon;
                    continue;
                case Opcode.FsgnjD:
                    if (!HostDouble.TryCopySign(_state, in i))
                        goto uncommon;
                    continue;

                case Opcode.Illegal:
                default:
                    goto uncommon;
            }

        uncommon:
            if (i.Opcode > Opcode.LastPlain)
            {
                pc = ExecuteSystem(pc, in i);
                goto newMode;
            }

            var outcome = ExecuteUncommon(in i);
            if (outcome == Outcome.Done)
                continue;
            pc = Trap(pc, in i, outcome);
            goto newMode;

        branch:
            _state.Retired += i.Index + 1u;
            pc += (ulong)i.Imm;
            goto nextBlock;
        }
    }

    // Sound: all but the last of a block's instructions go on with the next one, and the last is none of those.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref readonly Instruction Next(in Instruction i) => ref MemoryMarshal.CreateReadOnlySpan(in i, 2)[1];

    /// <summary>What the main loop doesn't serve, or not in this case.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteUncommon(in Instruction i)
    {
        switch (i.Opcode)
        {
            case Opcode.Illegal:
                return Outcome.Illegal;
            case <= Opcode.Fsd:
                if (i.Opcode >= Opcode.Flw && (_state.Mstatus & Status.Fs) == 0)
                    return Outcome.Illegal;
                return _memory.Execute(in i) ? Outcome.Done : Outcome.Fault;
            case < Opcode.FmaddS:
                IntegerUnit.Execute(in i, _state);
                return Outcome.Done;
            case < Opcode.Mulh:
                return _floats.Execute(in i) ? Outcome.Done : Outcome.Illegal;
            case < Opcode.LrW:
                IntegerUnit.Execute(in i, _state);
                return Outcome.Done;
            case < Opcode.Fence:
                return _atomics.Execute(in i) ? Outcome.Done : Outcome.Fault;
            default:
                FenceUnit.Execute(in i);
                return Outcome.Done;
        }
    }

    /// <returns>Where to go on.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong ExecuteSystem(ulong start, in Instruction i)
    {
        _state.Retired += i.Index;
        _state.Pc = start + (ulong)i.Offset;
        if (_system.Execute(in i, _blocks.RawBits(start, in i)))
            _state.Retired++;
        return _state.Pc;
    }

    /// <returns>Where to go on after an instruction that failed.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong Trap(ulong start, in Instruction i, Outcome outcome)
    {
        _state.Retired += i.Index;
        if (outcome == Outcome.Fault)
            return Fault(start + (ulong)i.Offset);
        _state.Pc = start + (ulong)i.Offset;
        hart.Trap(ExceptionCause.IllegalInstruction, _blocks.RawBits(start, in i));
        return _state.Pc;
    }

    /// <returns>Where to go on after the MMU's fault at <paramref name="pc"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong Fault(ulong pc)
    {
        _state.Pc = pc;
        hart.Trap(_mmu.FaultCause, _mmu.FaultAddress);
        return _state.Pc;
    }
}
