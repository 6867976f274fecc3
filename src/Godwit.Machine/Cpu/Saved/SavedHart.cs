namespace Godwit.Machine.Cpu.Saved;

/// <summary>A hart as the migration stream has it: what is not in <see cref="HartState"/> as such, and what our harts have no counterpart of and
/// only keep for the next machine. Fresh values are those of QEMU 11.1's <c>rv64</c> without the hypervisor extension.</summary>
internal sealed class SavedHart
{
    private const byte NoPriority = 0xff;
    private const ulong GuestExternalClaimed = 1UL << 12;

    public SavedHart(Hart hart)
    {
        Hart = hart;
        SetPriorities(Miprio, [0, 0x14, 0x18, 0x11, 0, 0x15, 0x19, 0x12, 0, 0x13, 0x17, 0x00, 0x16]);
        SetPriorities(Siprio, [0, 0x14, 0x18, 0x11, 0, 0x15, 0x19, 0x12, 0, 0x00, 0x17, 0x10, 0x16]);
    }

    public Hart Hart { get; }

    public HartState State => Hart.State;

    /// <summary>Called with MSIP's level after a load: the ACLINT shows it.</summary>
    public Action<bool>? SoftwareInterruptLoaded { get; init; }

    public bool IsHalted { get; set; }

    /// <summary>QEMU's pending requests to a CPU: <c>CPU_INTERRUPT_HARD</c> is all that goes with an interrupt.</summary>
    public uint InterruptRequest { get; set; }

    public ulong[] Gpr { get; } = new ulong[32];

    public ulong[] Fpr { get; } = new ulong[32];

    public byte[] Miprio { get; } = new byte[64];

    public byte[] Siprio { get; } = new byte[64];

    public ulong BadAddress { get; set; }

    public ulong GuestPhysicalFaultAddress { get; set; }

    /// <summary>QEMU: <c>PRIV_VERSION_1_13_0</c>.</summary>
    public uint PrivVersion { get; set; } = 3;

    public uint VectorVersion { get; set; }

    public uint MisaMxl { get; set; } = 2;

    public uint MisaExt { get; set; } = Csr.CsrFile.MisaExtensions;

    public uint MisaExtMask { get; set; } = Csr.CsrFile.MisaExtensions;

    public bool VirtEnabled { get; set; }

    public ulong ResetVector { get; set; } = 0x1000;

    public ulong Miclaim { get; set; } = GuestExternalClaimed;

    public ulong Mvien { get; set; }

    public ulong Mvip { get; set; }

    public ulong Sie { get; set; }

    public ulong Miselect { get; set; }

    public ulong Siselect { get; set; }

    public uint Scountinhibit { get; set; }

    public IReadOnlyList<SavedCounter> Counters { get; } = [.. Enumerable.Range(0, HartState.Counters).Select(_ => new SavedCounter())];

    public IReadOnlyList<SavedPmpEntry> Pmp { get; } = [.. Enumerable.Range(0, 64).Select(_ => new SavedPmpEntry())];

    public IReadOnlyList<SavedPmpEntry> FirstPmp => [.. Pmp.Take(HartState.PmpEntries)];

    public ulong Henvcfg { get; set; }

    /// <summary>When the timer of stimecmp fires, in nanoseconds of the virtual clock; -1: not set.</summary>
    public long SupervisorTimer { get; set; } = -1;

    public long VirtualSupervisorTimer { get; set; } = -1;

    /// <summary>State of the hypervisor extension and of the debug triggers that came from a hart which has them: kept, and sent on.</summary>
    public ulong[]? Hypervisor { get; set; }

    public byte[] Hviprio { get; } = new byte[64];

    public SavedTriggers? Debug { get; set; }

    /// <summary>The section's version on its way in; on its way out the newest.</summary>
    public uint CameAs { get; private set; } = HartVmState.Current;

    public void BeforeLoad(uint version)
    {
        CameAs = version;
        // What doesn't come isn't there.
        Hypervisor = null;
        Debug = null;
        for (var i = HartState.PmpEntries; i < Pmp.Count; i++)
            (Pmp[i].Address, Pmp[i].Configuration) = (0, 0);
    }

    public void Take()
    {
        CameAs = HartVmState.Current;
        for (var i = 0; i < 32; i++)
        {
            Gpr[i] = State.X[i];
            Fpr[i] = State.F[i];
        }

        Gpr[0] = 0;
        for (var i = 0; i < HartState.Counters; i++)
            Counters[i].Value = Hart.Csrs.ReadCounter(i);
        for (var i = 0; i < HartState.PmpEntries; i++)
        {
            Pmp[i].Address = State.PmpAddr[i];
            Pmp[i].Configuration = State.PmpCfg[i];
        }

        SupervisorTimer = Hart.SupervisorTimerDeadline;
    }

    /// <exception cref="InvalidDataException">No hart of ours can be in such a state.</exception>
    public void Apply()
    {
        if (VirtEnabled)
            throw new InvalidDataException("the hart runs a guest of its own (env.virt_enabled), and the hypervisor extension is not supported here");
        for (var i = 0; i < 32; i++)
        {
            State.X[i] = i == 0 ? 0 : Gpr[i];
            State.F[i] = Fpr[i];
        }

        for (var i = 0; i < HartState.Counters; i++)
            Hart.Csrs.RestoreCounter(i, Counters[i].Value);
        for (var i = 0; i < Pmp.Count; i++)
        {
            if (i < HartState.PmpEntries)
            {
                State.PmpAddr[i] = Pmp[i].Address;
                State.PmpCfg[i] = (byte)(Pmp[i].Configuration & 0x9f);
            }
            else if (Pmp[i].Configuration != 0)
            {
                throw new InvalidDataException($"PMP entry {i} is in use, and there are {HartState.PmpEntries} here");
            }
        }

        State.Pc &= ~1UL;
        State.Mstatus = (State.Mstatus & ~(Status.Uxl | Status.Sxl)) | Status.Uxl64 | Status.Sxl64;
        // Who set SEIP isn't in the stream; QEMU takes it for the interrupt controller's too.
        State.SoftwareSeip = false;
        State.ExternalSeip = (State.Mip & Interrupt.Seip) != 0;
        State.Fflags = 0;
        SoftwareInterruptLoaded?.Invoke((State.Mip & Interrupt.Msip) != 0);
        Hart.StateLoaded(IsHalted);
    }

    private static void SetPriorities(byte[] priorities, ReadOnlySpan<byte> major)
    {
        Array.Fill(priorities, NoPriority);
        for (var i = 0; i < major.Length; i++)
        {
            if (major[i] != 0 || i is 9 or 11)
                priorities[i] = major[i];
        }

        ReadOnlySpan<byte> low = [0x24, 0x21, 0x1e, 0x1b, 0x0e, 0x0b, 0x08, 0x05];
        ReadOnlySpan<byte> high = [0x25, 0x23, 0x22, 0x20, 0x1f, 0x1d, 0x1c, 0x1a, 0x0f, 0x0d, 0x0c, 0x0a, 0x09, 0x07, 0x06, 0x04];
        low.CopyTo(priorities.AsSpan(16));
        high.CopyTo(priorities.AsSpan(32));
    }
}

/// <summary>QEMU: <c>PMUCTRState</c>.</summary>
internal sealed class SavedCounter
{
    public ulong Value { get; set; }

    /// <summary>The host's ticks when it was written; kept.</summary>
    public ulong Previous { get; set; }
}

/// <summary>QEMU: <c>pmp_entry_t</c>.</summary>
internal sealed class SavedPmpEntry
{
    public ulong Address { get; set; }

    public byte Configuration { get; set; }
}
