using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Translation;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>Privileged instructions, CSRs, and what else changes more than registers and memory.</summary>
internal sealed class SystemUnit(Hart hart)
{
    private const ulong CacheBlock = 64;

    // menvcfg and senvcfg: cbo.zero, cbo.clean and flush, cbo.inval.
    private const ulong ZeroEnable = 1UL << 7, CleanEnable = 1UL << 6, InvalidateEnable = 3UL << 4;

    private readonly HartState _state = hart.State;
    private readonly Mmu _mmu = hart.Mmu;

    /// <summary>Executes the instruction at state.Pc and sets that to where to go on.</summary>
    /// <param name="raw">Its bits.</param>
    /// <returns>False: it trapped.</returns>
    public bool Execute(in Instruction i, uint raw)
    {
        var outcome = i.Opcode switch
        {
            >= Opcode.Csrrw => AccessCsr(in i),
            Opcode.CboZero => Zero(in i),
            Opcode.CboClean or Opcode.CboFlush => Clean(in i, CleanEnable),
            Opcode.CboInval => Clean(in i, InvalidateEnable),
            Opcode.FenceI => SynchronizeCode(),
            Opcode.Ecall => Call(),
            Opcode.Ebreak => Break(),
            Opcode.Sret => ReturnFromSupervisor(),
            Opcode.Mret => ReturnFromMachine(),
            Opcode.Wfi => WaitForInterrupt(in i),
            Opcode.SfenceVma => FlushTranslations(in i),
            Opcode.WrsNto => WaitForReservation(timed: false),
            Opcode.WrsSto => WaitForReservation(timed: true),
            Opcode.Pause => Yield(),
            _ => Outcome.Illegal,
        };
        switch (outcome)
        {
            case Outcome.Next:
                _state.Pc += i.Length;
                return true;
            case Outcome.Illegal:
                hart.Trap(ExceptionCause.IllegalInstruction, raw);
                return false;
            case Outcome.Fault:
                hart.Trap(_mmu.FaultCause, _mmu.FaultAddress);
                return false;
            case Outcome.Trapped:
                return false;
            default:
                return true;
        }
    }

    private enum Outcome
    {
        /// <summary>Go on with the next instruction.</summary>
        Next,

        /// <summary>state.Pc is set.</summary>
        Jumped,
        Illegal,

        /// <summary>The MMU has the reason.</summary>
        Fault,

        /// <summary>The trap is taken already.</summary>
        Trapped,
    }

    private Outcome AccessCsr(in Instruction i)
    {
        var immediate = i.Opcode >= Opcode.Csrrwi;
        var operand = immediate ? i.Rs1 : _state.X[i.Rs1 & 63];
        var kind = immediate ? i.Opcode - (Opcode.Csrrwi - Opcode.Csrrw) : i.Opcode;
        var writes = kind == Opcode.Csrrw || i.Rs1 != 0;
        var csr = (int)i.Imm;
        if (!hart.Csrs.IsAccessible(csr, writes))
            return Outcome.Illegal;

        // csrrw to x0 doesn't read; no CSR here minds.
        if (!hart.Csrs.TryRead(csr, out var old))
            return Outcome.Illegal;
        // As in QEMU, setting or clearing no bit has a write's checks and none of its effects.
        var mask = kind == Opcode.Csrrw ? ulong.MaxValue : operand;
        if (writes && mask != 0)
        {
            var value = kind switch
            {
                Opcode.Csrrw => operand,
                Opcode.Csrrs => hart.Csrs.ReadForUpdate(csr, old) | operand,
                _ => hart.Csrs.ReadForUpdate(csr, old) & ~operand,
            };
            hart.Csrs.Write(csr, value, mask);
        }

        _state.X[i.Rd & 63] = old;
        return Outcome.Next;
    }

    private Outcome Zero(in Instruction i)
    {
        if (!IsEnabled(ZeroEnable))
            return Outcome.Illegal;
        var block = _state.X[i.Rs1 & 63] & ~(CacheBlock - 1);
        // The whole block's permission comes first, and only memory can be zeroed.
        if (!_mmu.TryAccess(block, (int)CacheBlock, AccessType.Store))
            return Outcome.Fault;
        if (_mmu.WritableRam is null)
        {
            _mmu.Fail(ExceptionCause.StoreAccessFault, block);
            return Outcome.Fault;
        }

        for (ulong at = 0; at < CacheBlock; at += 8)
        {
            if (!_mmu.Data.TryWrite(block + at, 0UL) && !_mmu.TryStore(block + at, 8, 0))
                return Outcome.Fault;
        }

        return Outcome.Next;
    }

    private Outcome Clean(in Instruction i, ulong enable)
    {
        if (!IsEnabled(enable))
            return Outcome.Illegal;
        var block = _state.X[i.Rs1 & 63] & ~(CacheBlock - 1);
        // Either permission is enough; with neither it is a store's fault.
        return _mmu.IsAllowed(block, (int)CacheBlock, AccessType.Load) || _mmu.IsAllowed(block, (int)CacheBlock, AccessType.Store)
            ? Outcome.Next
            : Outcome.Fault;
    }

    private bool IsEnabled(ulong bits) =>
        _state.Priv == Privilege.Machine
        || ((_state.Menvcfg & bits) != 0 && (_state.Priv == Privilege.Supervisor || (_state.Senvcfg & bits) != 0));

    private Outcome SynchronizeCode()
    {
        hart.Blocks.Synchronize();
        return Outcome.Next;
    }

    private Outcome Call()
    {
        hart.Trap(_state.Priv switch
        {
            Privilege.User => ExceptionCause.UserEcall,
            Privilege.Supervisor => ExceptionCause.SupervisorEcall,
            _ => ExceptionCause.MachineEcall,
        }, 0);
        return Outcome.Trapped;
    }

    private Outcome Break()
    {
        hart.Trap(ExceptionCause.Breakpoint, _state.Pc);
        return Outcome.Trapped;
    }

    private Outcome ReturnFromSupervisor()
    {
        if (_state.Priv == Privilege.User || (_state.Priv == Privilege.Supervisor && (_state.Mstatus & Status.Tsr) != 0))
            return Outcome.Illegal;
        var status = _state.Mstatus;
        var to = (status & Status.Spp) != 0 ? Privilege.Supervisor : Privilege.User;
        status = (status & ~(Status.Sie | Status.Spp | Status.Mprv)) | Status.Spie;
        if ((_state.Mstatus & Status.Spie) != 0)
            status |= Status.Sie;
        _state.Mstatus = status;
        _state.Pc = _state.Sepc & ~1UL;
        hart.SetPrivilege(to);
        return Outcome.Jumped;
    }

    private Outcome ReturnFromMachine()
    {
        if (_state.Priv != Privilege.Machine)
            return Outcome.Illegal;
        var status = _state.Mstatus;
        var to = (Privilege)((status & Status.Mpp) >> Status.MppShift);
        if (to != Privilege.Machine && !_mmu.Pmp.HasRules)
        {
            // QEMU: below machine mode nothing could be executed anyway.
            hart.Trap(ExceptionCause.InstructionAccessFault, 0);
            return Outcome.Trapped;
        }

        status = (status & ~(Status.Mie | Status.Mpp)) | Status.Mpie;
        if ((_state.Mstatus & Status.Mpie) != 0)
            status |= Status.Mie;
        if (to != Privilege.Machine)
            status &= ~Status.Mprv;
        _state.Mstatus = status;
        _state.Pc = _state.Mepc & ~1UL;
        hart.SetPrivilege(to);
        return Outcome.Jumped;
    }

    private Outcome WaitForInterrupt(in Instruction i)
    {
        if (_state.Priv == Privilege.User || (_state.Priv == Privilege.Supervisor && (_state.Mstatus & Status.Tw) != 0))
            return Outcome.Illegal;
        _state.Pc += i.Length;
        hart.Halt();
        return Outcome.Jumped;
    }

    private Outcome WaitForReservation(bool timed)
    {
        // Both may end at any time; the timed one does so when the mode's right to wait is in question.
        if (!timed && _state.Priv != Privilege.Machine && (_state.Mstatus & Status.Tw) != 0)
        {
            // QEMU tells no bits here.
            hart.Trap(ExceptionCause.IllegalInstruction, 0);
            return Outcome.Trapped;
        }

        Thread.Yield();
        return Outcome.Next;
    }

    private static Outcome Yield()
    {
        Thread.Yield();
        return Outcome.Next;
    }

    private Outcome FlushTranslations(in Instruction i)
    {
        if (_state.Priv == Privilege.User || (_state.Priv == Privilege.Supervisor && (_state.Mstatus & Status.Tvm) != 0))
            return Outcome.Illegal;
        if (i.Rs1 == 0)
            _mmu.Flush();
        else
            _mmu.FlushPage(_state.X[i.Rs1 & 63]);
        hart.Blocks.ForgetAddresses();
        return Outcome.Next;
    }
}
