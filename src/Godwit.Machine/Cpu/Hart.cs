using System.Numerics;
using Godwit.Devices.Clock;
using Godwit.Devices.Interrupts;
using Godwit.Machine.Cpu.Blocks;
using Godwit.Machine.Cpu.Csr;
using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Execute;
using Godwit.Machine.Cpu.Translation;
using Godwit.Memory;

namespace Godwit.Machine.Cpu;

/// <summary>An RV64GC hart. What it is stands in <see cref="State"/>; what happens to it, here; what it does next, in the interpreter.
/// All but interrupt lines and <see cref="RequestStop"/> belong to the hart's own thread, or to whoever has it stopped.</summary>
public sealed class Hart : IDisposable
{
    private const ulong InterruptFlag = 1UL << 63;
    private const ulong TimerEnable = 1UL << 63, HardwareUpdates = 1UL << 61;

    private readonly Interpreter _interpreter;
    private readonly ClockTimer _supervisorTimer;
    private readonly Lock _timerLock = new();
    private readonly ManualResetEventSlim _woken = new(initialState: false, spinCount: 0);
    private volatile bool _attention;
    private volatile bool _stopRequested;
    private bool _halted;

    /// <param name="id">mhartid.</param>
    /// <param name="model">Which extensions it has.</param>
    /// <param name="memory">The machine's physical address space.</param>
    /// <param name="time">mtime.</param>
    /// <param name="clock">The machine's virtual clock, for stimecmp.</param>
    public Hart(int id, CpuModel model, AddressSpace memory, ITimeSource time, VirtualClock clock)
    {
        Id = id;
        Model = model;
        Memory = memory;
        Time = time;
        Mmu = new Mmu(State, memory);
        Blocks = new BlockCache(State, Mmu, memory, new Decoder(model));
        Csrs = new CsrFile(this);
        _supervisorTimer = clock.CreateTimer(UpdateTimerInterrupt);
        _interpreter = new Interpreter(this);
        MachineSoftware = new InterruptLine(level => SetPending(Interrupt.Msip, level));
        MachineTimer = new InterruptLine(level => SetPending(Interrupt.Mtip, level));
        MachineExternal = new InterruptLine(level => SetPending(Interrupt.Meip, level));
        SupervisorExternal = new InterruptLine(SetSupervisorExternal);
        Reset(0);
    }

    public int Id { get; }

    public CpuModel Model { get; }

    /// <summary>To be looked at and changed while the hart is stopped only; call <see cref="StateChanged"/> afterwards.</summary>
    public HartState State { get; } = new();

    /// <summary>From the ACLINT's or CLINT's msip.</summary>
    public InterruptLine MachineSoftware { get; }

    /// <summary>From mtimecmp.</summary>
    public InterruptLine MachineTimer { get; }

    /// <summary>From the interrupt controller's machine context.</summary>
    public InterruptLine MachineExternal { get; }

    /// <summary>From the interrupt controller's supervisor context.</summary>
    public InterruptLine SupervisorExternal { get; }

    internal AddressSpace Memory { get; }

    internal ITimeSource Time { get; }

    internal Mmu Mmu { get; }

    internal BlockCache Blocks { get; }

    internal CsrFile Csrs { get; }

    internal bool HasAttention => _attention;

    /// <summary>It has executed wfi and sleeps.</summary>
    internal bool IsHalted => _halted;

    /// <summary>When stimecmp is reached, in nanoseconds of the virtual clock; -1: no timer is set.</summary>
    internal long SupervisorTimerDeadline => _supervisorTimer.IsSet ? _supervisorTimer.Deadline : -1;

    /// <summary>As after power on.</summary>
    /// <param name="pc">The reset vector.</param>
    public void Reset(ulong pc)
    {
        State.Pc = pc;
        State.Priv = Privilege.Machine;
        State.Mstatus = (State.Mstatus & ~(Status.Mie | Status.Mprv)) | Status.Uxl64 | Status.Sxl64;
        State.Mcause = 0;
        State.Menvcfg = Model.Has("svadu") ? HardwareUpdates : 0;
        State.LoadRes = HartState.NoReservation;
        Array.Clear(State.PmpCfg);
        State.Satp = 0;
        State.Frm = 0;
        _halted = false;
        StateChanged();
    }

    /// <summary>What was derived from the state is derived again.</summary>
    public void StateChanged()
    {
        _halted = false;
        Mmu.Pmp.Update();
        Mmu.Flush();
        Mmu.UpdateMode();
        Blocks.Synchronize();
        UpdateStimecmp();
        Attend();
    }

    /// <summary>As <see cref="StateChanged"/>, of a hart that came from another machine.</summary>
    internal void StateLoaded(bool halted)
    {
        StateChanged();
        if (halted)
            Halt();
    }

    /// <summary>Executes until <see cref="RequestStop"/>; returns between two instructions.</summary>
    public void Run()
    {
        while (true)
        {
            _attention = false;
            Interlocked.MemoryBarrier();
            if (_stopRequested)
            {
                _stopRequested = false;
                return;
            }

            if (_halted)
            {
                Sleep();
                continue;
            }

            TakeInterrupt();
            _interpreter.Run();
        }
    }

    /// <summary>Makes <see cref="Run"/> return soon. From any thread.</summary>
    public void RequestStop()
    {
        _stopRequested = true;
        Attend();
    }

    /// <summary>mtime was set: stimecmp is reached at another moment. From any thread.</summary>
    public void TimeChanged() => UpdateStimecmp();

    public void Dispose() => _woken.Dispose();

    /// <summary>Interrupts or requests are to be looked at before the next block. From any thread.</summary>
    internal void Attend()
    {
        _attention = true;
        _woken.Set();
    }

    /// <summary>mstatus, mie or mideleg changed: what is pending may now be taken. On the hart's own thread.</summary>
    internal void CheckInterrupts()
    {
        if ((Volatile.Read(ref State.Mip) & State.Mie) != 0)
            _attention = true;
    }

    /// <summary>wfi: until an interrupt is pending that mie lets through.</summary>
    internal void Halt()
    {
        _halted = true;
        _attention = true;
    }

    /// <summary>Sets or clears bits of mip. From any thread.</summary>
    internal void SetPending(ulong bits, bool level)
    {
        if (bits == 0)
            return;
        if (level)
            Interlocked.Or(ref State.Mip, bits);
        else
            Interlocked.And(ref State.Mip, ~bits);
        if (level)
            Attend();
    }

    internal void SetPrivilege(Privilege privilege)
    {
        State.Priv = privilege;
        State.LoadRes = HartState.NoReservation;
        Mmu.UpdateMode();
        CheckInterrupts();
    }

    internal void SetStimecmp(ulong value)
    {
        lock (_timerLock)
        {
            State.Stimecmp = value;
            UpdateStimecmp();
        }
    }

    /// <summary>menvcfg.STCE changed: the timer interrupt is stimecmp's now, or its no longer.</summary>
    internal void TimerEnableChanged()
    {
        lock (_timerLock)
        {
            UpdateStimecmp();
            if ((State.Menvcfg & TimerEnable) == 0)
                SetPending(Interrupt.Stip, level: false);
        }
    }

    /// <summary>stimecmp or what it is compared with was changed.</summary>
    internal void UpdateStimecmp()
    {
        lock (_timerLock)
        {
            if ((State.Menvcfg & TimerEnable) != 0)
                UpdateTimerInterrupt();
            else
                _supervisorTimer.Cancel();
        }
    }

    /// <summary>An exception at state.Pc.</summary>
    /// <param name="value">For mtval or stval.</param>
    internal void Trap(ExceptionCause cause, ulong value)
    {
        var delegated = State.Priv != Privilege.Machine && ((State.Medeleg >> (int)cause) & 1) != 0;
        EnterTrap((ulong)cause, value, delegated);
    }

    private void EnterTrap(ulong cause, ulong value, bool toSupervisor)
    {
        var status = State.Mstatus;
        ulong vector;
        if (toSupervisor)
        {
            State.Scause = cause;
            State.Sepc = State.Pc;
            State.Stval = value;
            status &= ~(Status.Spie | Status.Spp);
            if ((State.Mstatus & Status.Sie) != 0)
                status |= Status.Spie;
            if (State.Priv == Privilege.Supervisor)
                status |= Status.Spp;
            status &= ~Status.Sie;
            vector = State.Stvec;
        }
        else
        {
            State.Mcause = cause;
            State.Mepc = State.Pc;
            State.Mtval = value;
            status &= ~(Status.Mpie | Status.Mpp);
            if ((State.Mstatus & Status.Mie) != 0)
                status |= Status.Mpie;
            status |= (ulong)State.Priv << Status.MppShift;
            status &= ~Status.Mie;
            vector = State.Mtvec;
        }

        State.Mstatus = status;
        State.Pc = vector & ~3UL;
        if ((vector & 1) != 0 && (cause & InterruptFlag) != 0)
            State.Pc += 4 * (cause & ~InterruptFlag);
        SetPrivilege(toSupervisor ? Privilege.Supervisor : Privilege.Machine);
    }

    private void TakeInterrupt()
    {
        var pending = Volatile.Read(ref State.Mip) & State.Mie;
        if (pending == 0)
            return;
        var forMachine = pending & ~State.Mideleg;
        var forSupervisor = pending & State.Mideleg;
        if (forMachine != 0 && (State.Priv != Privilege.Machine || (State.Mstatus & Status.Mie) != 0))
            Deliver(forMachine, toSupervisor: false);
        else if (forSupervisor != 0 && (State.Priv == Privilege.User || (State.Priv == Privilege.Supervisor && (State.Mstatus & Status.Sie) != 0)))
            Deliver(forSupervisor, toSupervisor: true);
    }

    // Of several interrupts QEMU takes the one with the lowest number, unless it has AIA.
    private void Deliver(ulong pending, bool toSupervisor) =>
        EnterTrap(InterruptFlag | (uint)BitOperations.TrailingZeroCount(pending), 0, toSupervisor);

    private void Sleep()
    {
        _woken.Reset();
        if ((Volatile.Read(ref State.Mip) & State.Mie) != 0)
        {
            _halted = false;
            return;
        }

        if (!_attention)
            _woken.Wait();
    }

    private void SetSupervisorExternal(bool level)
    {
        State.ExternalSeip = level;
        SetPending(Interrupt.Seip, level || State.SoftwareSeip);
    }

    private void UpdateTimerInterrupt()
    {
        // The hart and the clock's thread both come here: what one decided must not undo what the other did later.
        lock (_timerLock)
        {
            if ((State.Menvcfg & TimerEnable) == 0)
                return;
            var due = State.Stimecmp <= Time.Now;
            SetPending(Interrupt.Stip, due);
            if (due)
                _supervisorTimer.Cancel();
            else
                _supervisorTimer.Set(Time.ToNanoseconds(State.Stimecmp));
        }
    }
}
