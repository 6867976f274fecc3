using Godwit.Machine.Cpu.Translation;
using static Godwit.Machine.Cpu.Csr.CsrNumber;

namespace Godwit.Machine.Cpu.Csr;

/// <summary>The control and status registers: who may access which, what a read gives and what of a write stays (QEMU: <c>target/riscv/csr.c</c>).</summary>
internal sealed class CsrFile(Hart hart)
{
    private const ulong MisaValue = (2UL << 62) | (1 << ('i' - 'a')) | (1 << ('m' - 'a')) | (1 << 0) | (1 << ('f' - 'a')) | (1 << ('d' - 'a'))
        | (1 << ('c' - 'a')) | (1 << ('s' - 'a')) | (1 << ('u' - 'a'));

    /// <summary>The extensions in misa, a bit a letter.</summary>
    public const uint MisaExtensions = (uint)(MisaValue & 0x3ff_ffff);

    // What QEMU lets be delegated, the hypervisor's causes among it.
    private const ulong Delegable = 0xf4b7ff;

    // 59:58 are reserved, and the filters above them QEMU keeps.
    private const ulong EventMask = 0xf3ff_ffff_ffff_ffff;

    private const uint CounterMask = 0x7ffff;
    private const uint InhibitMask = 0x7fffd;
    private const int LastCounter = 18;
    private const uint TimeBit = 2;
    private const ulong FenceOfIo = 1;
    private const ulong EnvironmentMask = FenceOfIo | (3UL << 4) | (1UL << 6) | (1UL << 7);
    private const ulong TimerEnable = 1UL << 63, HardwareUpdates = 1UL << 61;

    // The number that QEMU was given as an architecture.
    private const ulong ArchitectureId = 42;

    private const byte FrmMask = 7, FflagsMask = 31;

    private readonly HartState _state = hart.State;
    private readonly Mmu _mmu = hart.Mmu;
    private readonly bool _hasSstc = hart.Model.Has("sstc");
    private readonly bool _hasSvadu = hart.Model.Has("svadu");
    private readonly CounterFile _counters = new(hart.State);

    /// <summary>mcycle, minstret or an mhpmcounter, of a hart that stands.</summary>
    public ulong ReadCounter(int counter) => _counters.Read(counter);

    /// <inheritdoc cref="ReadCounter"/>
    public void RestoreCounter(int counter, ulong value) => _counters.Restore(counter, value);

    /// <summary>Whether the hart may access a register now. Whether there is one, only <see cref="TryRead"/> knows.</summary>
    public bool IsAccessible(int csr, bool writes)
    {
        if ((writes && IsReadOnly(csr)) || _state.Priv < LowestMode(csr))
            return false;
        return csr switch
        {
            Fflags or Frm or Fcsr => (_state.Mstatus & Status.Fs) != 0,
            Satp => _state.Priv == Privilege.Machine || (_state.Mstatus & Status.Tvm) == 0,
            Stimecmp => _hasSstc
                && (_state.Priv == Privilege.Machine || ((_state.Mcounteren & TimeBit) != 0 && (_state.Menvcfg & TimerEnable) != 0)),
            >= Cycle and <= Hpmcounter31 => IsCounterEnabled(csr - Cycle),
            _ => true,
        };
    }

    /// <returns>False: there is no such register.</returns>
    public bool TryRead(int csr, out ulong value)
    {
        ulong? found = csr switch
        {
            Fflags => _state.Fflags,
            Frm => _state.Frm,
            Fcsr => (ulong)((_state.Frm << 5) | _state.Fflags),
            Sstatus => WithDirtySummary(_state.Mstatus & Status.SupervisorVisible),
            Sie => _state.Mie & SupervisorInterrupts,
            Stvec => _state.Stvec,
            Scounteren => _state.Scounteren,
            Senvcfg => _state.Senvcfg,
            Sscratch => _state.Sscratch,
            Sepc => _state.Sepc,
            Scause => _state.Scause,
            Stval => _state.Stval,
            Sip => Volatile.Read(ref _state.Mip) & SupervisorInterrupts,
            Stimecmp => _state.Stimecmp,
            Satp => _state.Satp,
            Mstatus => WithDirtySummary(_state.Mstatus),
            Misa => MisaValue,
            Medeleg => _state.Medeleg,
            Mideleg => _state.Mideleg,
            Mie => _state.Mie,
            Mtvec => _state.Mtvec,
            Mcounteren => _state.Mcounteren,
            Menvcfg => _state.Menvcfg,
            Mcountinhibit => _state.Mcountinhibit,
            >= Mhpmevent3 and <= Mhpmevent31 => _state.Mhpmevent[csr - Mhpmevent3 + 3],
            Mscratch => _state.Mscratch,
            Mepc => _state.Mepc,
            Mcause => _state.Mcause,
            Mtval => _state.Mtval,
            Mip => Volatile.Read(ref _state.Mip),
            Pmpcfg0 or Pmpcfg0 + 2 => _mmu.Pmp.ReadConfig(csr - Pmpcfg0),
            > Pmpcfg0 and <= Pmpcfg15 => (csr & 1) != 0 ? null : 0,
            >= Pmpaddr0 and < Pmpaddr0 + HartState.PmpEntries => _state.PmpAddr[csr - Pmpaddr0],
            >= Pmpaddr0 and <= Pmpaddr63 => 0,
            Mcycle or Minstret => _counters.Read(csr - Mcycle),
            >= Mhpmcounter3 and <= Mhpmcounter31 => csr - Mcycle <= LastCounter ? _counters.Read(csr - Mcycle) : null,
            Time => hart.Time.Now,
            Cycle or Instret => _counters.Read(csr - Cycle),
            >= Hpmcounter3 and <= Hpmcounter31 => csr - Cycle <= LastCounter ? _counters.Read(csr - Cycle) : null,
            Mvendorid or Mimpid or Mconfigptr => 0,
            Marchid => ArchitectureId,
            Mhartid => (ulong)hart.Id,
            _ => null,
        };
        value = found ?? 0;
        return found is not null;
    }

    /// <summary>What set and clear start from: mip.SEIP as the guest wrote it, without the interrupt controller's.</summary>
    public ulong ReadForUpdate(int csr, ulong read) => csr switch
    {
        Mip => (read & ~Interrupt.Seip) | (_state.SoftwareSeip ? Interrupt.Seip : 0),
        _ => read,
    };

    /// <param name="mask">The bits that the instruction means to change.</param>
    public void Write(int csr, ulong value, ulong mask)
    {
        switch (csr)
        {
            case Fflags:
                SetFloat(_state.Frm, (byte)(value & FflagsMask));
                break;
            case Frm:
                SetFloat((byte)(value & FrmMask), _state.Fflags);
                break;
            case Fcsr:
                SetFloat((byte)((value >> 5) & FrmMask), (byte)(value & FflagsMask));
                break;
            case Sstatus:
                WriteStatus((_state.Mstatus & ~Status.SupervisorWritable) | (value & Status.SupervisorWritable));
                break;
            case Sie:
                WriteMie((_state.Mie & ~SupervisorInterrupts) | (value & SupervisorInterrupts));
                break;
            case Stvec:
                _state.Stvec = (value & 3) < 2 ? value : _state.Stvec;
                break;
            case Scounteren:
                _state.Scounteren = (uint)value & CounterMask;
                break;
            case Senvcfg:
                _state.Senvcfg = value & EnvironmentMask;
                break;
            case Sscratch:
                _state.Sscratch = value;
                break;
            case Sepc:
                _state.Sepc = value & ~1UL;
                break;
            case Scause:
                _state.Scause = value;
                break;
            case Stval:
                _state.Stval = value;
                break;
            case Sip:
                WriteMip(value, mask & _state.Mideleg & (Interrupt.Ssip | Interrupt.Local));
                break;
            case Stimecmp:
                hart.SetStimecmp(value);
                break;
            case Satp:
                WriteSatp(value);
                break;
            case Mstatus:
                WriteStatus((_state.Mstatus & ~Status.MachineWritable) | (value & Status.MachineWritable));
                break;
            case Medeleg:
                _state.Medeleg = value & Delegable;
                break;
            case Mideleg:
                _state.Mideleg = value & (Interrupt.SupervisorAll | Interrupt.Virtual | Interrupt.Lcofip);
                hart.CheckInterrupts();
                break;
            case Mie:
                WriteMie(value & (Interrupt.SupervisorAll | Interrupt.MachineAll | Interrupt.Local));
                break;
            case Mtvec:
                _state.Mtvec = (value & 3) < 2 ? value : _state.Mtvec;
                break;
            case Mcounteren:
                _state.Mcounteren = (uint)value & CounterMask;
                break;
            case Menvcfg:
                var writable = EnvironmentMask | (_hasSstc ? TimerEnable : 0) | (_hasSvadu ? HardwareUpdates : 0);
                var changed = (_state.Menvcfg ^ value) & writable;
                _state.Menvcfg = value & writable;
                if ((changed & TimerEnable) != 0)
                    hart.TimerEnableChanged();
                if ((changed & HardwareUpdates) != 0)
                    ForgetTranslations();
                break;
            case Mcountinhibit:
                _counters.Inhibit((uint)value & InhibitMask);
                break;
            case >= Mhpmevent3 and <= Mhpmevent31:
                _state.Mhpmevent[csr - Mhpmevent3 + 3] = value & EventMask;
                break;
            case Mscratch:
                _state.Mscratch = value;
                break;
            case Mepc:
                _state.Mepc = value & ~1UL;
                break;
            case Mcause:
                _state.Mcause = value;
                break;
            case Mtval:
                _state.Mtval = value;
                break;
            case Mip:
                WriteMip(value, mask & (Interrupt.SupervisorAll | Interrupt.Virtual | Interrupt.Lcofip));
                break;
            case Pmpcfg0 or Pmpcfg0 + 2:
                _mmu.Pmp.WriteConfig(csr - Pmpcfg0, value);
                ForgetTranslations();
                break;
            case >= Pmpaddr0 and < Pmpaddr0 + HartState.PmpEntries:
                _mmu.Pmp.WriteAddress(csr - Pmpaddr0, value);
                ForgetTranslations();
                break;
            case >= Mcycle and <= Mhpmcounter31:
                _counters.Write(csr - Mcycle, value);
                break;
        }
    }

    private ulong SupervisorInterrupts => _state.Mideleg & (Interrupt.SupervisorAll | Interrupt.Local);

    private static ulong WithDirtySummary(ulong status) => (status & Status.Fs) == Status.Fs ? status | Status.Sd : status;

    private bool IsCounterEnabled(int counter)
    {
        var bit = 1u << counter;
        return _state.Priv == Privilege.Machine
            || ((_state.Mcounteren & bit) != 0 && (_state.Priv == Privilege.Supervisor || (_state.Scounteren & bit) != 0));
    }

    private void SetFloat(byte frm, byte fflags)
    {
        _state.Frm = frm;
        _state.Fflags = fflags;
        _state.Mstatus |= Status.Fs;
    }

    private void WriteStatus(ulong value)
    {
        var old = _state.Mstatus;
        // MPP = 2 is no mode: the field stays.
        if ((value & Status.Mpp) == 2UL << Status.MppShift)
            value = (value & ~Status.Mpp) | (old & Status.Mpp);
        _state.Mstatus = value;
        if (((old ^ value) & Status.Mxr) != 0)
            _mmu.Flush();
        if (((old ^ value) & (Status.Mprv | Status.Mpp | Status.Sum)) != 0)
            _mmu.UpdateMode();
        hart.CheckInterrupts();
    }

    private void WriteMie(ulong value)
    {
        _state.Mie = value;
        hart.CheckInterrupts();
    }

    private void WriteMip(ulong value, ulong mask)
    {
        // With Sstc the timer interrupt is stimecmp's alone.
        if ((_state.Menvcfg & TimerEnable) != 0 && _state.Priv == Privilege.Machine)
            mask &= ~Interrupt.Stip;
        if ((mask & Interrupt.Seip) != 0)
        {
            lock (hart.Memory.DeviceLock)
            {
                _state.SoftwareSeip = (value & Interrupt.Seip) != 0;
                if (_state.ExternalSeip)
                    value |= Interrupt.Seip;
                hart.SetPending(Interrupt.Seip, (value & Interrupt.Seip) != 0);
            }
        }

        hart.SetPending(value & mask & ~Interrupt.Seip, level: true);
        hart.SetPending(~value & mask & ~Interrupt.Seip, level: false);
    }

    private void WriteSatp(ulong value)
    {
        var mode = value >> 60;
        if ((mode is not 0 and not (>= 8 and <= 10)) || !hart.Model.HasTranslation((int)mode) || value == _state.Satp)
            return;
        _state.Satp = value;
        ForgetTranslations();
    }

    private void ForgetTranslations()
    {
        _mmu.Flush();
        hart.Blocks.ForgetAddresses();
    }
}
