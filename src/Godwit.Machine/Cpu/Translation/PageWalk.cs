using Godwit.Memory;

namespace Godwit.Machine.Cpu.Translation;

/// <summary>Walks the page tables of Sv39, Sv48 and Sv57 (QEMU: <c>get_physical_address</c>).
/// <code>
/// PTE:  63 N | 62:61 PBMT | 60:54 reserved | 53:10 PPN | 9:8 for software | 7 D | 6 A | 5 G | 4 U | 3 X | 2 W | 1 R | 0 V
/// satp: 63:60 mode (0 bare, 8 Sv39, 9 Sv48, 10 Sv57) | 59:44 ASID | 43:0 PPN
/// </code></summary>
internal sealed class PageWalk(HartState state, AddressSpace memory, Pmp pmp)
{
    private const ulong Valid = 1, Read = 2, Write = 4, Execute = 8, User = 16, Accessed = 64, Dirty = 128;
    private const ulong Reserved = 0xffc0_0000_0000_0000;
    private const int PteShift = 10, IndexBits = 9;
    private const ulong PpnMask = (1UL << 44) - 1;
    private const ulong HardwareUpdates = 1UL << 61;

    private MemoryRegion? _lastRegion;

    /// <summary>How a walk ended.</summary>
    public enum Outcome
    {
        Translated,
        PageFault,
        AccessFault,
    }

    /// <summary>The physical address, if translated.</summary>
    public ulong Physical { get; private set; }

    /// <summary>How many bits of the address the leaf leaves alone: 12, or more for a superpage.</summary>
    public int LeafBits { get; private set; }

    public Outcome Walk(ulong address, AccessType type, Privilege privilege, bool sum)
    {
        LeafBits = GuestPage.Bits;
        var mode = state.Satp >> 60;
        if (privilege == Privilege.Machine || mode == 0)
        {
            Physical = address;
            return Outcome.Translated;
        }

        var levels = (int)mode - 5;
        var unused = 64 - (GuestPage.Bits + (levels * IndexBits));
        if ((ulong)((long)(address << unused) >> unused) != address)
            return Outcome.PageFault;

        while (true)
        {
            var table = (state.Satp & PpnMask) << GuestPage.Bits;
            for (var level = levels - 1; level >= 0; level--)
            {
                var shift = GuestPage.Bits + (level * IndexBits);
                var pteAddress = table + (((address >> shift) & 0x1ff) * 8);
                if (!pmp.Allows(pteAddress, 8, AccessType.Load, Privilege.Supervisor) || !TryLoad(pteAddress, out var pte))
                    return Outcome.AccessFault;
                if ((pte & Reserved) != 0 || (pte & Valid) == 0)
                    return Outcome.PageFault;
                if ((pte & (Read | Write | Execute)) != 0)
                {
                    var outcome = Leaf(address, type, privilege, sum, shift, pteAddress, pte);
                    if (outcome is { } known)
                        return known;
                    // Somebody changed the entry meanwhile: from the start.
                    table = ulong.MaxValue;
                    break;
                }

                if ((pte & (Dirty | Accessed | User)) != 0)
                    return Outcome.PageFault;
                table = (pte >> PteShift) << GuestPage.Bits;
            }

            if (table != ulong.MaxValue)
                return Outcome.PageFault;
        }
    }

    /// <returns>Null: walk again.</returns>
    private Outcome? Leaf(ulong address, AccessType type, Privilege privilege, bool sum, int shift, ulong pteAddress, ulong pte)
    {
        var ppn = (pte >> PteShift) & PpnMask;
        if ((ppn & ((1UL << (shift - GuestPage.Bits)) - 1)) != 0 || !IsAllowed(pte, type, privilege, sum))
            return Outcome.PageFault;
        var wanted = pte | Accessed | (type == AccessType.Store ? Dirty : 0);
        if (wanted != pte)
        {
            if ((state.Menvcfg & HardwareUpdates) == 0)
                return Outcome.PageFault;
            if (!pmp.Allows(pteAddress, 8, AccessType.Store, Privilege.Supervisor))
                return Outcome.AccessFault;
            if (Region(pteAddress) is not { Ram: not null, IsReadOnly: false } region)
                return Outcome.PageFault;
            if (!region.CompareExchange64(pteAddress, pte, wanted))
                return null;
        }

        var offset = (1UL << shift) - 1;
        Physical = ((ppn << GuestPage.Bits) & ~offset) | (address & offset);
        LeafBits = shift;
        return Outcome.Translated;
    }

    private bool IsAllowed(ulong pte, AccessType type, Privilege privilege, bool sum)
    {
        if ((pte & Write) != 0 && (pte & Read) == 0)
            return false;
        if ((pte & User) != 0)
        {
            if (privilege != Privilege.User && (!sum || type == AccessType.Fetch))
                return false;
        }
        else if (privilege == Privilege.User)
        {
            return false;
        }

        return type switch
        {
            AccessType.Load => (pte & Read) != 0 || ((pte & Execute) != 0 && (state.Mstatus & Status.Mxr) != 0),
            AccessType.Store => (pte & Write) != 0,
            _ => (pte & Execute) != 0,
        };
    }

    private bool TryLoad(ulong address, out ulong value)
    {
        value = 0;
        if (Region(address) is not { } region)
            return false;
        if (region.Ram is null)
            return memory.TryLoadDevice(address, 8, out value);
        if (!region.Contains(address, 8))
            return false;
        value = region.Load64(address);
        return true;
    }

    private MemoryRegion? Region(ulong address)
    {
        if (_lastRegion is { } last && last.Contains(address, 8))
            return last;
        return _lastRegion = memory.Find(address);
    }
}
