using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Machine.Cpu.Saved.SavedHart>;

namespace Godwit.Machine.Cpu.Saved;

/// <summary>Subsections of <c>cpu</c> for extensions that our harts don't have. What a QEMU hart with them sends is kept and sent on, so that it
/// comes back as it was: a guest that was started there and doesn't use them moves freely.</summary>
internal static class HartExtensionVmState
{
    private const uint HypervisorVersion = 5, DebugVersion = 4;

    private static readonly string[] BeforePriorities =
    [
        "hstatus", "hedeleg", "hideleg", "hcounteren", "htval", "htinst", "hgatp", "hgeie", "hgeip", "hvien", "hvip", "htimedelta", "vstimecmp", "hvictl",
    ];

    private static readonly string[] BehindPriorities =
    [
        "vsstatus", "vstvec", "vsscratch", "vsepc", "vscause", "vstval", "vsatp", "vsiselect", "vsie", "mtval2", "mtinst",
        "stvec_hs", "sscratch_hs", "sepc_hs", "scause_hs", "stval_hs", "satp_hs", "mstatus_hs",
    ];

    public static VmStateDescription<SavedHart> Hypervisor { get; } = new("cpu/hyper", HypervisorVersion, 4)
    {
        Needed = s => s.Hypervisor is not null,
        PreLoad = (s, _) => s.Hypervisor = new ulong[BeforePriorities.Length + BehindPriorities.Length],
        Fields =
        [
            .. BeforePriorities.SelectMany((name, i) => HypervisorField(name, i)),
            Field.UInt8Array("env.hviprio", s => s.Hviprio),
            .. BehindPriorities.SelectMany((name, i) => HypervisorField(name, BeforePriorities.Length + i)),
        ],
    };

    public static VmStateDescription<SavedHart> Debug { get; } = new("cpu/debug", DebugVersion, 2)
    {
        Needed = s => s.Debug is not null,
        PreLoad = (s, _) => s.Debug = new SavedTriggers(),
        Fields =
        [
            Field.UInt16("env.mcontext", s => s.Debug!.Mcontext, (s, v) => s.Debug!.Mcontext = v).Since(DebugVersion),
            Field.UInt64("env.trigger_cur of 10.0", _ => 0, (s, v) => s.Debug!.Current = (byte)v).When((_, v) => v < DebugVersion),
            Field.UInt8("env.trigger_cur", s => s.Debug!.Current, (s, v) => s.Debug!.Current = v).Since(DebugVersion),
            Field.UInt64Array("env.tdata1", s => s.Debug!.Tdata1),
            Field.UInt64Array("env.tdata2", s => s.Debug!.Tdata2),
            Field.UInt64Array("env.tdata3", s => s.Debug!.Tdata3),
        ],
    };

    private static VmStateField<SavedHart>[] HypervisorField(string name, int at)
    {
        var wide = Field.UInt64($"env.{name}", s => s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v);
        return name switch
        {
            "hcounteren" => [Field.UInt32("env.hcounteren", s => (uint)s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v)],
            "hvictl" => [Old(name, at), Field.UInt32("env.hvictl", s => (uint)s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v).Since(HypervisorVersion)],
            // Its version 5 came with version 11 of the whole, and this value got its own size only with version 12.
            "vsiselect" =>
            [
                Field.UInt64("env.vsiselect of a word's size", s => s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v).When((s, _) => s.CameAs < HartVmState.Current),
                Field.UInt16("env.vsiselect", s => (ushort)s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v).When((s, _) => s.CameAs >= HartVmState.Current),
            ],
            _ => [wide],
        };
    }

    private static VmStateField<SavedHart> Old(string name, int at) =>
        Field.UInt64($"env.{name} of 10.0", s => s.Hypervisor![at], (s, v) => s.Hypervisor![at] = v).When((_, v) => v < HypervisorVersion);
}

/// <summary>Debug triggers that our harts don't have.</summary>
internal sealed class SavedTriggers
{
    public ushort Mcontext { get; set; }

    public byte Current { get; set; }

    public ulong[] Tdata1 { get; } = new ulong[2];

    public ulong[] Tdata2 { get; } = new ulong[2];

    public ulong[] Tdata3 { get; } = new ulong[2];
}
