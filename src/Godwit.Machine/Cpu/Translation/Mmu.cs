using System.Buffers.Binary;
using System.Numerics;
using Godwit.Memory;

namespace Godwit.Machine.Cpu.Translation;

/// <summary>A hart's way to memory: software TLBs for the fast path, and behind them translation, protection, devices, misaligned accesses.
/// What fails leaves <see cref="FaultCause"/> and <see cref="FaultAddress"/>.</summary>
internal sealed class Mmu
{
    private const int FetchEntries = 256;
    private const ulong NoTag = ulong.MaxValue;

    private readonly HartState _state;
    private readonly AddressSpace _memory;
    private readonly PageWalk _walk;

    // One for each view of memory: user, supervisor, supervisor with SUM, machine.
    private readonly SoftwareTlb[] _tlbs = [new(), new(), new(), new()];
    private readonly ulong[] _fetchTags = new ulong[FetchEntries];
    private readonly ulong[] _fetchPages = new ulong[FetchEntries];
    private MemoryRegion? _lastRegion;
    private ulong _superpagesFrom = ulong.MaxValue;
    private ulong _superpagesTo;
    private Privilege _dataPrivilege = Privilege.Machine;
    private bool _dataSum;

    public Mmu(HartState state, AddressSpace memory)
    {
        _state = state;
        _memory = memory;
        Pmp = new Pmp(state);
        _walk = new PageWalk(state, memory, Pmp);
        Data = _tlbs[3];
        Flush();
    }

    public Pmp Pmp { get; }

    /// <summary>The TLB for loads and stores in the mode the hart is in.</summary>
    public SoftwareTlb Data { get; private set; }

    public ExceptionCause FaultCause { get; private set; }

    public ulong FaultAddress { get; private set; }

    /// <summary>To be called when the privilege mode or mstatus.{MPRV,MPP,SUM} changed.</summary>
    public void UpdateMode()
    {
        var privilege = _state.Priv;
        if (privilege == Privilege.Machine && (_state.Mstatus & Status.Mprv) != 0)
            privilege = (Privilege)((_state.Mstatus & Status.Mpp) >> Status.MppShift);
        _dataPrivilege = privilege;
        _dataSum = (_state.Mstatus & Status.Sum) != 0;
        Data = privilege switch
        {
            Privilege.User => _tlbs[0],
            Privilege.Supervisor => _tlbs[_dataSum ? 2 : 1],
            _ => _tlbs[3],
        };
    }

    /// <summary>Forgets all translations.</summary>
    public void Flush()
    {
        foreach (var tlb in _tlbs)
            tlb.Flush();
        Array.Fill(_fetchTags, NoTag);
        _superpagesFrom = ulong.MaxValue;
        _superpagesTo = 0;
    }

    /// <summary>Forgets the translation of one address.</summary>
    public void FlushPage(ulong address)
    {
        if (address >= _superpagesFrom && address <= _superpagesTo)
        {
            Flush();
            return;
        }

        foreach (var tlb in _tlbs)
            tlb.FlushPage(address);
        Array.Fill(_fetchTags, NoTag);
    }

    /// <summary>Makes the next store to each page be seen again.</summary>
    public void FlushWrites()
    {
        foreach (var tlb in _tlbs)
            tlb.FlushWrites();
    }

    /// <summary>Where the two bytes of an instruction at this address lie.</summary>
    public bool TryFetch(ulong address, out ulong physical)
    {
        var page = address & ~GuestPage.OffsetMask;
        var tag = page | (ulong)_state.Priv;
        ref var known = ref _fetchTags[(int)(address >> GuestPage.Bits) & (FetchEntries - 1)];
        ref var to = ref _fetchPages[(int)(address >> GuestPage.Bits) & (FetchEntries - 1)];
        if (known != tag)
        {
            physical = 0;
            if (!TryTranslate(address, AccessType.Fetch, _state.Priv, sum: false))
                return false;
            physical = _walk.Physical;
            if (!Pmp.Allows(physical, 2, AccessType.Fetch, _state.Priv) || (Region(physical) is null))
                return Fail(ExceptionCause.InstructionAccessFault, address);
            if (!Pmp.IsUniform(physical & ~GuestPage.OffsetMask, GuestPage.Size))
                return true;
            known = tag;
            to = physical & ~GuestPage.OffsetMask;
        }

        physical = to | (address & GuestPage.OffsetMask);
        return true;
    }

    /// <summary>A load that the TLB doesn't serve.</summary>
    /// <param name="size">1, 2, 4 or 8 bytes, at any alignment.</param>
    public bool TryLoad(ulong address, int size, out ulong value)
    {
        if (Data.TryReadUnaligned(address, size, out value))
            return true;
        if ((address & GuestPage.OffsetMask) + (ulong)size <= GuestPage.Size)
            return TryLoadInPage(address, size, out value);

        // Both pages are checked before anything is read, the first one's protection for all bytes, as QEMU does.
        var next = (address & ~GuestPage.OffsetMask) + GuestPage.Size;
        if (!TryAccess(address, size, AccessType.Load) || !TryAccess(next, (int)(address + (ulong)size - next), AccessType.Load))
            return false;
        for (var n = 0; n < size; n++)
        {
            if (!TryLoadInPage(address + (ulong)n, 1, out var one))
                return false;
            value |= one << (n * 8);
        }

        return true;
    }

    /// <summary>A store that the TLB doesn't serve.</summary>
    public bool TryStore(ulong address, int size, ulong value)
    {
        if (Data.TryWriteUnaligned(address, size, value))
            return true;
        if ((address & GuestPage.OffsetMask) + (ulong)size <= GuestPage.Size)
            return TryStoreInPage(address, size, value);

        var next = (address & ~GuestPage.OffsetMask) + GuestPage.Size;
        if (!TryAccess(address, size, AccessType.Store) || !TryAccess(next, (int)(address + (ulong)size - next), AccessType.Store))
            return false;
        for (var n = 0; n < size; n++)
        {
            if (!TryStoreInPage(address + (ulong)n, 1, value >> (n * 8)))
                return false;
        }

        return true;
    }

    /// <summary>Checks that an access would be allowed, and fills the TLB if it is to RAM.</summary>
    public bool TryAccess(ulong address, int size, AccessType type)
    {
        if (!TryTranslate(address, type, _dataPrivilege, _dataSum))
            return false;
        var physical = _walk.Physical;
        if (!Pmp.Allows(physical, (ulong)size, type, _dataPrivilege) || Region(physical) is not { } region)
            return Fail(type == AccessType.Load ? ExceptionCause.LoadAccessFault : ExceptionCause.StoreAccessFault, address);
        Enter(address, physical, region, type);
        return true;
    }

    /// <summary>Checks that translation and protection would allow an access, whatever is there.</summary>
    public bool IsAllowed(ulong address, int size, AccessType type) =>
        TryTranslate(address, type, _dataPrivilege, _dataSum)
        && (Pmp.Allows(_walk.Physical, (ulong)size, type, _dataPrivilege)
            || Fail(type == AccessType.Load ? ExceptionCause.LoadAccessFault : ExceptionCause.StoreAccessFault, address));

    /// <summary>Where an address that <see cref="TryAccess"/> allowed lies.</summary>
    public ulong Physical => _walk.Physical;

    /// <summary>The same, if it is RAM that the guest may write.</summary>
    public MemoryRegion? WritableRam => Region(_walk.Physical) is { Ram: not null, IsReadOnly: false } region ? region : null;

    /// <summary>Sets the fault for the caller.</summary>
    /// <returns>False.</returns>
    public bool Fail(ExceptionCause cause, ulong address)
    {
        FaultCause = cause;
        FaultAddress = address;
        return false;
    }

    private bool TryLoadInPage(ulong address, int size, out ulong value)
    {
        value = 0;
        if (!TryAccess(address, size, AccessType.Load))
            return false;
        var physical = _walk.Physical;
        if (size == 8 && Data.TryRead(address, out value))
            return true;
        if (Region(physical)!.Ram is not null)
            return TryRam(physical, size, ref value, store: false) || Fail(ExceptionCause.LoadAccessFault, address);
        return TryLoadDevice(physical, size, out value) || Fail(ExceptionCause.LoadAccessFault, address);
    }

    private bool TryStoreInPage(ulong address, int size, ulong value)
    {
        if (!TryAccess(address, size, AccessType.Store))
            return false;
        var physical = _walk.Physical;
        var region = Region(physical)!;
        if (region.Ram is null)
            return TryStoreDevice(physical, size, value) || Fail(ExceptionCause.StoreAccessFault, address);
        // An aligned store must be seen at once, not byte by byte.
        if (size switch
        {
            1 => Data.TryWrite(address, (byte)value),
            2 => Data.TryWrite(address, (ushort)value),
            4 => Data.TryWrite(address, (uint)value),
            _ => Data.TryWrite(address, value),
        })
        {
            return true;
        }

        return region.IsReadOnly || TryRam(physical, size, ref value, store: true) || Fail(ExceptionCause.StoreAccessFault, address);
    }

    // A device sees a misaligned access as aligned ones, each as long as its address lets it be.
    private static int AlignedPiece(ulong address, int size) => 1 << BitOperations.TrailingZeroCount((uint)size | (uint)address | sizeof(ulong));

    private bool TryLoadDevice(ulong physical, int size, out ulong value)
    {
        value = 0;
        for (int done = 0, piece; done < size; done += piece)
        {
            piece = AlignedPiece(physical + (ulong)done, size - done);
            if (!_memory.TryLoadDevice(physical + (ulong)done, piece, out var part))
                return false;
            value |= part << (done * 8);
        }

        return true;
    }

    private bool TryStoreDevice(ulong physical, int size, ulong value)
    {
        for (int done = 0, piece; done < size; done += piece)
        {
            piece = AlignedPiece(physical + (ulong)done, size - done);
            if (!_memory.TryStoreDevice(physical + (ulong)done, piece, value >> (done * 8)))
                return false;
        }

        return true;
    }

    private bool TryRam(ulong physical, int size, ref ulong value, bool store)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        if (store)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            return _memory.TryWrite(physical, bytes[..size]);
        }

        bytes.Clear();
        var read = _memory.TryRead(physical, bytes[..size]);
        value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return read;
    }

    private bool TryTranslate(ulong address, AccessType type, Privilege privilege, bool sum) => _walk.Walk(address, type, privilege, sum) switch
    {
        PageWalk.Outcome.Translated => true,
        PageWalk.Outcome.PageFault => Fail(type switch
        {
            AccessType.Load => ExceptionCause.LoadPageFault,
            AccessType.Store => ExceptionCause.StorePageFault,
            _ => ExceptionCause.InstructionPageFault,
        }, address),
        _ => Fail(type switch
        {
            AccessType.Load => ExceptionCause.LoadAccessFault,
            AccessType.Store => ExceptionCause.StoreAccessFault,
            _ => ExceptionCause.InstructionAccessFault,
        }, address),
    };

    private void Enter(ulong address, ulong physical, MemoryRegion region, AccessType type)
    {
        var page = physical & ~GuestPage.OffsetMask;
        if (region.Ram is null || !region.Contains(page, GuestPage.Size) || !Pmp.IsUniform(page, GuestPage.Size))
            return;
        if (_walk.LeafBits > GuestPage.Bits)
        {
            // A superpage may lie in many entries: flushing an address in one flushes all.
            var inside = (1UL << _walk.LeafBits) - 1;
            _superpagesFrom = Math.Min(_superpagesFrom, address & ~inside);
            _superpagesTo = Math.Max(_superpagesTo, address | inside);
        }

        if (type == AccessType.Load)
            Data.EnterRead(address, region, physical);
        else if (!region.IsReadOnly)
            Data.EnterWrite(address, region, physical);
    }

    private MemoryRegion? Region(ulong physical)
    {
        if (_lastRegion is { } last && last.Contains(physical, 1))
            return last;
        return _lastRegion = _memory.Find(physical);
    }
}
