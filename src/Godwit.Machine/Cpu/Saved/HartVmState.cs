using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Machine.Cpu.Saved.SavedHart>;

namespace Godwit.Machine.Cpu.Saved;

/// <summary>Sections <c>cpu_common</c> and <c>cpu</c> of a hart: version 12 as QEMU 11.1 has it, 10 of QEMU 10.0, and 11 of those between, in its
/// last form (<c>hw/core/cpu-system.c</c>, <c>target/riscv/machine.c</c>).</summary>
internal static class HartVmState
{
    public const uint Current = 12;

    /// <summary>Most values got their own sizes, where they had had a word of the target's.</summary>
    private const uint Sized = 11;

    private const uint Oldest = 10;
    private const uint HardInterrupt = 2;
    private const int SatpModeShift = 60;

    public static VmStateDescription<SavedHart> Common { get; } = new("cpu_common", 1, 1)
    {
        PreSave = s =>
        {
            s.IsHalted = s.Hart.IsHalted;
            s.InterruptRequest = s.State.Mip != 0 ? HardInterrupt : 0;
        },
        Fields =
        [
            Field.UInt32("halted", s => s.IsHalted ? 1u : 0, (s, v) => s.IsHalted = v != 0),
            Field.UInt32("interrupt_request", s => s.InterruptRequest, (s, v) => s.InterruptRequest = v),
        ],
        Subsections =
        [
            // Of a CPU that is about to take an exception, and of one that crashed: ours are between two instructions.
            new VmStateDescription<SavedHart>("cpu_common/exception_index", 1, 1)
            {
                Needed = _ => false,
                Fields = [Field.Int32("exception_index", _ => -1, (_, _) => { })],
            },
            new VmStateDescription<SavedHart>("cpu_common/crash_occurred", 1, 1)
            {
                Needed = _ => false,
                Fields = [Field.Bool("crash_occurred", _ => false, (_, v) => Refuse(v, "the CPU has crashed"))],
            },
        ],
    };

    public static VmStateDescription<SavedHart> Cpu { get; } = new("cpu", Current, Oldest)
    {
        PreSave = s => s.Take(),
        PreLoad = (s, version) => s.BeforeLoad(version),
        PostLoad = (s, _) => s.Apply(),
        Fields =
        [
            Field.UInt64Array("env.gpr", s => s.Gpr),
            Field.UInt64Array("env.fpr", s => s.Fpr),
            Field.UInt8Array("env.miprio", s => s.Miprio),
            Field.UInt8Array("env.siprio", s => s.Siprio),
            Field.UInt64("env.pc", s => s.State.Pc, (s, v) => s.State.Pc = v),
            Field.UInt64("env.load_res", s => s.State.LoadRes, (s, v) => s.State.LoadRes = v),
            Field.UInt64("env.load_val", s => s.State.LoadVal, (s, v) => s.State.LoadVal = v),
            Old("env.frm", (s, v) => s.State.Frm = Byte(v)),
            Field.UInt8("env.frm", s => s.State.Frm, (s, v) => s.State.Frm = v).Since(Sized).Check(s => s.State.Frm < 8, "no rounding mode"),
            Field.UInt64("env.badaddr", s => s.BadAddress, (s, v) => s.BadAddress = v),
            Field.UInt64("env.guest_phys_fault_addr", s => s.GuestPhysicalFaultAddress, (s, v) => s.GuestPhysicalFaultAddress = v),
            Old("env.priv_ver", (s, v) => s.PrivVersion = (uint)v),
            Old("env.vext_ver", (s, v) => s.VectorVersion = (uint)v),
            Field.UInt32("env.priv_ver", s => s.PrivVersion, (s, v) => s.PrivVersion = v).Since(Sized),
            Field.UInt32("env.vext_ver", s => s.VectorVersion, (s, v) => s.VectorVersion = v).Since(Sized),
            Field.UInt32("env.misa_mxl", s => s.MisaMxl, (s, v) => s.MisaMxl = v).Check(s => s.MisaMxl == 2, "the hart is not of 64 bits"),
            Field.UInt32("env.misa_ext", s => s.MisaExt, (s, v) => s.MisaExt = v),
            Field.Unused(4),
            Field.UInt32("env.misa_ext_mask", s => s.MisaExtMask, (s, v) => s.MisaExtMask = v),
            Old("env.priv", (s, v) => s.State.Priv = ToPrivilege(v)),
            Field.UInt8("env.priv", s => (byte)s.State.Priv, (s, v) => s.State.Priv = ToPrivilege(v)).Since(Sized),
            Field.Bool("env.virt_enabled", s => s.VirtEnabled, (s, v) => s.VirtEnabled = v),
            Field.UInt64("env.resetvec", s => s.ResetVector, (s, v) => s.ResetVector = v),
            Field.UInt64("env.mhartid", s => (ulong)s.Hart.Id, (s, v) => Refuse(v != (ulong)s.Hart.Id, $"hart {v} came where hart {s.Hart.Id} is")),
            Field.UInt64("env.mstatus", s => s.State.Mstatus, (s, v) => s.State.Mstatus = v)
                .Check(s => (s.State.Mstatus & Status.Mpp) >> Status.MppShift != 2, "MPP is no privilege that a hart here has"),
            Field.UInt64("env.mip", s => s.State.Mip, (s, v) => s.State.Mip = v),
            Field.UInt64("env.miclaim", s => s.Miclaim, (s, v) => s.Miclaim = v),
            Field.UInt64("env.mie", s => s.State.Mie, (s, v) => s.State.Mie = v),
            Field.UInt64("env.mvien", s => s.Mvien, (s, v) => s.Mvien = v),
            Field.UInt64("env.mvip", s => s.Mvip, (s, v) => s.Mvip = v),
            Field.UInt64("env.sie", s => s.Sie, (s, v) => s.Sie = v),
            Field.UInt64("env.mideleg", s => s.State.Mideleg, (s, v) => s.State.Mideleg = v),
            Field.UInt64("env.satp", s => s.State.Satp, (s, v) => s.State.Satp = v)
                .Check(s => s.State.Satp >> SatpModeShift is 0 or (>= (ulong)SatpMode.Sv39 and <= (ulong)SatpMode.Sv57), "its mode is none of Sv39 to Sv57"),
            Field.UInt64("env.stval", s => s.State.Stval, (s, v) => s.State.Stval = v),
            Field.UInt64("env.medeleg", s => s.State.Medeleg, (s, v) => s.State.Medeleg = v),
            Field.UInt64("env.stvec", s => s.State.Stvec, (s, v) => s.State.Stvec = v),
            Field.UInt64("env.sepc", s => s.State.Sepc, (s, v) => s.State.Sepc = v & ~1UL),
            Field.UInt64("env.scause", s => s.State.Scause, (s, v) => s.State.Scause = v),
            Field.UInt64("env.mtvec", s => s.State.Mtvec, (s, v) => s.State.Mtvec = v),
            Field.UInt64("env.mepc", s => s.State.Mepc, (s, v) => s.State.Mepc = v & ~1UL),
            Field.UInt64("env.mcause", s => s.State.Mcause, (s, v) => s.State.Mcause = v),
            Field.UInt64("env.mtval", s => s.State.Mtval, (s, v) => s.State.Mtval = v),
            Old("env.miselect", (s, v) => s.Miselect = v, Current),
            Old("env.siselect", (s, v) => s.Siselect = v, Current),
            Field.UInt16("env.miselect", s => (ushort)s.Miselect, (s, v) => s.Miselect = v).Since(Current),
            Field.UInt16("env.siselect", s => (ushort)s.Siselect, (s, v) => s.Siselect = v).Since(Current),
            Field.UInt32("env.scounteren", s => s.State.Scounteren, (s, v) => s.State.Scounteren = v),
            Field.UInt32("env.mcounteren", s => s.State.Mcounteren, (s, v) => s.State.Mcounteren = v),
            Field.UInt32("env.scountinhibit", s => s.Scountinhibit, (s, v) => s.Scountinhibit = v),
            Field.UInt32("env.mcountinhibit", s => s.State.Mcountinhibit, (s, v) => s.State.Mcountinhibit = v),
            Field.StructArray("env.pmu_ctrs of 10.0", OldCounter, s => s.Counters).When((_, v) => v < Sized),
            Field.StructArray("env.pmu_ctrs", Counter, s => s.Counters).Since(Sized),
            Field.UInt64Array("env.mhpmevent_val", s => s.State.Mhpmevent),
            Field.UInt64Array("env.mhpmeventh_val", _ => new ulong[HartState.Counters]).When((_, v) => v < Sized),
            Field.UInt64("env.sscratch", s => s.State.Sscratch, (s, v) => s.State.Sscratch = v),
            Field.UInt64("env.mscratch", s => s.State.Mscratch, (s, v) => s.State.Mscratch = v),
            Field.UInt64("env.stimecmp", s => s.State.Stimecmp, (s, v) => s.State.Stimecmp = v),
        ],
        Subsections = [Pmp, HartExtensionVmState.Hypervisor, Envcfg, HartExtensionVmState.Debug, Timer],
    };

    private static VmStateDescription<SavedCounter> Counter => new("cpu/pmu", 3, 3)
    {
        Fields =
        [
            Field<SavedCounter>.UInt64("mhpmcounter_val", c => c.Value, (c, v) => c.Value = v),
            Field<SavedCounter>.UInt64("mhpmcounter_prev", c => c.Previous, (c, v) => c.Previous = v),
        ],
    };

    private static VmStateDescription<SavedCounter> OldCounter => new("cpu/pmu", 2, 2)
    {
        Fields =
        [
            Field<SavedCounter>.UInt64("mhpmcounter_val", c => c.Value, (c, v) => c.Value = v),
            Field<SavedCounter>.UInt64("mhpmcounterh_val", _ => 0, (_, _) => { }),
            Field<SavedCounter>.UInt64("mhpmcounter_prev", c => c.Previous, (c, v) => c.Previous = v),
            Field<SavedCounter>.UInt64("mhpmcounterh_prev", _ => 0, (_, _) => { }),
        ],
    };

    private static VmStateDescription<SavedPmpEntry> PmpEntry => new("cpu/pmp/entry", 2, 1)
    {
        Fields =
        [
            Field<SavedPmpEntry>.UInt64("addr_reg", e => e.Address, (e, v) => e.Address = v),
            Field<SavedPmpEntry>.UInt8("cfg_reg", e => e.Configuration, (e, v) => e.Configuration = v),
        ],
    };

    private static VmStateDescription<SavedHart> Pmp => new("cpu/pmp", 2, 1)
    {
        Fields =
        [
            Field.StructArray("env.pmp_state.pmp of 10.0", PmpEntry, s => s.FirstPmp).When((_, v) => v < 2),
            Field.StructArray("env.pmp_state.pmp", PmpEntry, s => s.Pmp).Since(2),
        ],
    };

    private static VmStateDescription<SavedHart> Envcfg => new("cpu/envcfg", 2, 1)
    {
        Fields =
        [
            Field.UInt64("env.menvcfg", s => s.State.Menvcfg, (s, v) => s.State.Menvcfg = v),
            Field.UInt64("env.senvcfg", s => s.State.Senvcfg, (s, v) => s.State.Senvcfg = v),
            Field.UInt64("env.henvcfg", s => s.Henvcfg, (s, v) => s.Henvcfg = v),
        ],
    };

    /// <summary>A loaded timer is set by stimecmp, which says the same; QEMU 10.0 sends none.</summary>
    private static VmStateDescription<SavedHart> Timer => new("cpu/timer", 1, 1)
    {
        Needed = s => s.Hart.Model.Has("sstc"),
        Fields =
        [
            Field.Timer("env.stimer", s => s.SupervisorTimer, (s, v) => s.SupervisorTimer = v),
            Field.Timer("env.vstimer", s => s.VirtualSupervisorTimer, (s, v) => s.VirtualSupervisorTimer = v),
        ],
    };

    /// <summary>Both sections, in their order.</summary>
    public static IEnumerable<IDeviceSection> Sections(SavedHart hart)
    {
        yield return new VmStateSection<SavedHart>("cpu_common", (uint)hart.Hart.Id, Common, hart);
        yield return new VmStateSection<SavedHart>("cpu", (uint)hart.Hart.Id, Cpu, hart);
    }

    /// <summary>What was a word of the target's size before it had the size of its values.</summary>
    private static VmStateField<SavedHart> Old(string name, Action<SavedHart, ulong> set, uint until = Sized) =>
        Field.UInt64($"{name} of a word's size", _ => 0, set).When((_, v) => v < until);

    private static byte Byte(ulong value) => value < 8 ? (byte)value : throw new InvalidDataException($"{value} is no rounding mode");

    private static Privilege ToPrivilege(ulong value) => value is 0 or 1 or 3 ? (Privilege)value : throw new InvalidDataException($"{value} is no privilege that a hart here has");

    private static void Refuse(bool wrong, string reason)
    {
        if (wrong)
            throw new InvalidDataException(reason);
    }
}
