using System.Runtime.CompilerServices;
using Godwit.Machine.Cpu.Blocks;
using Godwit.Machine.Cpu.Decode;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>Executes blocks until something wants the hart's attention. The main loop serves integer instructions, loads and stores;
/// atomics, floating point and the rest are next door.</summary>
internal sealed class Interpreter(Hart hart)
{
    private readonly HartState _state = hart.State;
    private readonly BlockCache _blocks = hart.Blocks;
    private readonly AtomicUnit _atomics = new(hart);
    private readonly FloatUnit _floats = new(hart);
    private readonly SystemUnit _system = new(hart);

    /// <summary>Runs from state.Pc on, and leaves there where to go on.</summary>
    // Called once and busy for minutes, it must not begin in code that was compiled in a hurry or ahead of time for any processor.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        var s = _state;
        var mmu = hart.Mmu;
        var pc = s.Pc;

    nextBlock:
        if (hart.HasAttention)
        {
            s.Pc = pc;
            return;
        }

        var block = _blocks.Find(pc) ?? _blocks.Load(pc);
        if (block is null)
        {
            s.Pc = pc;
            hart.Trap(mmu.FaultCause, mmu.FaultAddress);
            pc = s.Pc;
            goto nextBlock;
        }

        var code = block.Code;
        var tlb = mmu.Data;
        int n;
        for (n = 0; n < code.Length; n++)
        {
            ref readonly var i = ref code[n];
            switch (i.Opcode)
            {
                case Opcode.Nop:
                    continue;
                case Opcode.LoadConstant:
                    s.X[i.Rd & 63] = (ulong)i.Imm;
                    continue;
                case Opcode.Auipc:
                    s.X[i.Rd & 63] = pc + (ulong)i.Imm;
                    continue;
                case Opcode.Jal:
                    s.X[i.Rd & 63] = pc + i.Next;
                    pc += (ulong)i.Imm;
                    goto jumped;
                case Opcode.Jalr:
                    var target = (s.X[i.Rs1 & 63] + (ulong)i.Imm) & ~1UL;
                    s.X[i.Rd & 63] = pc + i.Next;
                    pc = target;
                    goto jumped;
                case Opcode.Beq:
                    pc += s.X[i.Rs1 & 63] == s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;
                case Opcode.Bne:
                    pc += s.X[i.Rs1 & 63] != s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;
                case Opcode.Blt:
                    pc += (long)s.X[i.Rs1 & 63] < (long)s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;
                case Opcode.Bge:
                    pc += (long)s.X[i.Rs1 & 63] >= (long)s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;
                case Opcode.Bltu:
                    pc += s.X[i.Rs1 & 63] < s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;
                case Opcode.Bgeu:
                    pc += s.X[i.Rs1 & 63] >= s.X[i.Rs2 & 63] ? (ulong)i.Imm : i.Next;
                    goto jumped;

                case Opcode.Lb:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out byte value))
                    {
                        if (!mmu.TryLoad(address, 1, out var wide))
                            goto fault;
                        value = (byte)wide;
                    }

                    s.X[i.Rd & 63] = (ulong)(sbyte)value;
                    continue;
                }

                case Opcode.Lh:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ushort value))
                    {
                        if (!mmu.TryLoad(address, 2, out var wide))
                            goto fault;
                        value = (ushort)wide;
                    }

                    s.X[i.Rd & 63] = (ulong)(short)value;
                    continue;
                }

                case Opcode.Lw:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out uint value))
                    {
                        if (!mmu.TryLoad(address, 4, out var wide))
                            goto fault;
                        value = (uint)wide;
                    }

                    s.X[i.Rd & 63] = (ulong)(int)value;
                    continue;
                }

                case Opcode.Ld:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ulong value) && !mmu.TryLoad(address, 8, out value))
                        goto fault;
                    s.X[i.Rd & 63] = value;
                    continue;
                }

                case Opcode.Lbu:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out byte value))
                    {
                        if (!mmu.TryLoad(address, 1, out var wide))
                            goto fault;
                        value = (byte)wide;
                    }

                    s.X[i.Rd & 63] = value;
                    continue;
                }

                case Opcode.Lhu:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out ushort value))
                    {
                        if (!mmu.TryLoad(address, 2, out var wide))
                            goto fault;
                        value = (ushort)wide;
                    }

                    s.X[i.Rd & 63] = value;
                    continue;
                }

                case Opcode.Lwu:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryRead(address, out uint value))
                    {
                        if (!mmu.TryLoad(address, 4, out var wide))
                            goto fault;
                        value = (uint)wide;
                    }

                    s.X[i.Rd & 63] = value;
                    continue;
                }

                case Opcode.Sb:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (byte)s.X[i.Rs2 & 63]) && !mmu.TryStore(address, 1, s.X[i.Rs2 & 63]))
                        goto fault;
                    continue;
                }

                case Opcode.Sh:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (ushort)s.X[i.Rs2 & 63]) && !mmu.TryStore(address, 2, s.X[i.Rs2 & 63]))
                        goto fault;
                    continue;
                }

                case Opcode.Sw:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, (uint)s.X[i.Rs2 & 63]) && !mmu.TryStore(address, 4, s.X[i.Rs2 & 63]))
                        goto fault;
                    continue;
                }

                case Opcode.Sd:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if (!tlb.TryWrite(address, s.X[i.Rs2 & 63]) && !mmu.TryStore(address, 8, s.X[i.Rs2 & 63]))
                        goto fault;
                    continue;
                }

                case Opcode.Move:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63];
                    continue;
                case Opcode.Addi:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    continue;
                case Opcode.Slti:
                    s.X[i.Rd & 63] = (long)s.X[i.Rs1 & 63] < i.Imm ? 1UL : 0;
                    continue;
                case Opcode.Sltiu:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] < (ulong)i.Imm ? 1UL : 0;
                    continue;
                case Opcode.Xori:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] ^ (ulong)i.Imm;
                    continue;
                case Opcode.Ori:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] | (ulong)i.Imm;
                    continue;
                case Opcode.Andi:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] & (ulong)i.Imm;
                    continue;
                case Opcode.Slli:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] << (int)i.Imm;
                    continue;
                case Opcode.Srli:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] >> (int)i.Imm;
                    continue;
                case Opcode.Srai:
                    s.X[i.Rd & 63] = (ulong)((long)s.X[i.Rs1 & 63] >> (int)i.Imm);
                    continue;
                case Opcode.Add:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] + s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sub:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] - s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sll:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] << (int)s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Slt:
                    s.X[i.Rd & 63] = (long)s.X[i.Rs1 & 63] < (long)s.X[i.Rs2 & 63] ? 1UL : 0;
                    continue;
                case Opcode.Sltu:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] < s.X[i.Rs2 & 63] ? 1UL : 0;
                    continue;
                case Opcode.Xor:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] ^ s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Srl:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] >> (int)s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sra:
                    s.X[i.Rd & 63] = (ulong)((long)s.X[i.Rs1 & 63] >> (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Or:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] | s.X[i.Rs2 & 63];
                    continue;
                case Opcode.And:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] & s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Addiw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] + (int)i.Imm);
                    continue;
                case Opcode.Slliw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] << (int)i.Imm);
                    continue;
                case Opcode.Srliw:
                    s.X[i.Rd & 63] = (ulong)(int)((uint)s.X[i.Rs1 & 63] >> (int)i.Imm);
                    continue;
                case Opcode.Sraiw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] >> (int)i.Imm);
                    continue;
                case Opcode.Addw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] + (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Subw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] - (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Sllw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] << (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Srlw:
                    s.X[i.Rd & 63] = (ulong)(int)((uint)s.X[i.Rs1 & 63] >> (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Sraw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] >> (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Mul:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] * s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Mulhu:
                    s.X[i.Rd & 63] = Math.BigMul(s.X[i.Rs1 & 63], s.X[i.Rs2 & 63], out _);
                    continue;
                case Opcode.Mulw:
                    s.X[i.Rd & 63] = (ulong)((int)s.X[i.Rs1 & 63] * (int)s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Div:
                    s.X[i.Rd & 63] = BitOperation.Divide(s.X[i.Rs1 & 63], s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Divu:
                    s.X[i.Rd & 63] = s.X[i.Rs2 & 63] == 0 ? ulong.MaxValue : s.X[i.Rs1 & 63] / s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Rem:
                    s.X[i.Rd & 63] = BitOperation.Remainder(s.X[i.Rs1 & 63], s.X[i.Rs2 & 63]);
                    continue;
                case Opcode.Remu:
                    s.X[i.Rd & 63] = s.X[i.Rs2 & 63] == 0 ? s.X[i.Rs1 & 63] : s.X[i.Rs1 & 63] % s.X[i.Rs2 & 63];
                    continue;
                case Opcode.AddUw:
                    s.X[i.Rd & 63] = (uint)s.X[i.Rs1 & 63] + s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sh1Add:
                    s.X[i.Rd & 63] = (s.X[i.Rs1 & 63] << 1) + s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sh2Add:
                    s.X[i.Rd & 63] = (s.X[i.Rs1 & 63] << 2) + s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Sh3Add:
                    s.X[i.Rd & 63] = (s.X[i.Rs1 & 63] << 3) + s.X[i.Rs2 & 63];
                    continue;
                case Opcode.Andn:
                    s.X[i.Rd & 63] = s.X[i.Rs1 & 63] & ~s.X[i.Rs2 & 63];
                    continue;
                case Opcode.ZextH:
                    s.X[i.Rd & 63] = (ushort)s.X[i.Rs1 & 63];
                    continue;

                case Opcode.Flw:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if ((s.Mstatus & Status.Fs) == 0)
                        goto illegal;
                    if (!tlb.TryRead(address, out uint value))
                    {
                        if (!mmu.TryLoad(address, 4, out var wide))
                            goto fault;
                        value = (uint)wide;
                    }

                    s.F[i.Rd & 31] = 0xffffffff_00000000 | value;
                    s.Mstatus |= Status.Fs;
                    continue;
                }

                case Opcode.Fld:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if ((s.Mstatus & Status.Fs) == 0)
                        goto illegal;
                    if (!tlb.TryRead(address, out ulong value) && !mmu.TryLoad(address, 8, out value))
                        goto fault;
                    s.F[i.Rd & 31] = value;
                    s.Mstatus |= Status.Fs;
                    continue;
                }

                case Opcode.Fsw:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if ((s.Mstatus & Status.Fs) == 0)
                        goto illegal;
                    if (!tlb.TryWrite(address, (uint)s.F[i.Rs2 & 31]) && !mmu.TryStore(address, 4, s.F[i.Rs2 & 31]))
                        goto fault;
                    continue;
                }

                case Opcode.Fsd:
                {
                    var address = s.X[i.Rs1 & 63] + (ulong)i.Imm;
                    if ((s.Mstatus & Status.Fs) == 0)
                        goto illegal;
                    if (!tlb.TryWrite(address, s.F[i.Rs2 & 31]) && !mmu.TryStore(address, 8, s.F[i.Rs2 & 31]))
                        goto fault;
                    continue;
                }

                case Opcode.Illegal:
                    goto illegal;

                case < Opcode.Flw:
                    IntegerUnit.Execute(in i, s);
                    continue;
                case < Opcode.FmaddS:
                    if (!_atomics.Execute(in i))
                        goto fault;
                    continue;
                case < Opcode.Fence:
                    if (!_floats.Execute(in i))
                        goto illegal;
                    continue;
                case Opcode.Fence:
                    FenceUnit.Execute(in i);
                    continue;

                default:
                    s.Retired += (ulong)n;
                    s.Pc = pc + (ulong)i.Offset;
                    if (_system.Execute(in i, block.RawBits(in i)))
                        s.Retired++;
                    pc = s.Pc;
                    goto nextBlock;
            }
        }

        pc += code[^1].Next;
        s.Retired += (ulong)n;
        goto nextBlock;

    jumped:
        s.Retired += (ulong)n + 1;
        goto nextBlock;

    fault:
        s.Retired += (ulong)n;
        s.Pc = pc + (ulong)code[n].Offset;
        hart.Trap(mmu.FaultCause, mmu.FaultAddress);
        pc = s.Pc;
        goto nextBlock;

    illegal:
        s.Retired += (ulong)n;
        s.Pc = pc + (ulong)code[n].Offset;
        hart.Trap(ExceptionCause.IllegalInstruction, block.RawBits(in code[n]));
        pc = s.Pc;
        goto nextBlock;
    }
}
