using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Translation;
using Godwit.Memory;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>Extension A, on the host's atomic instructions. As in QEMU, sc stores if memory still holds the value that lr read.</summary>
internal sealed class AtomicUnit(Hart hart)
{
    private readonly HartState _state = hart.State;
    private readonly Mmu _mmu = hart.Mmu;

    /// <returns>False: the MMU has the fault.</returns>
    public bool Execute(in Instruction i)
    {
        var address = _state.X[i.Rs1 & 63];
        var size = i.Opcode < Opcode.LrD ? sizeof(uint) : sizeof(ulong);
        var isLoad = i.Opcode is Opcode.LrW or Opcode.LrD;
        if ((address & (ulong)(size - 1)) != 0)
            return _mmu.Fail(isLoad ? ExceptionCause.LoadMisaligned : ExceptionCause.StoreMisaligned, address);
        if (isLoad)
            return LoadReserved(in i, address, size);
        if (i.Opcode is Opcode.ScW or Opcode.ScD)
            return StoreConditional(in i, address, size);
        return size == sizeof(uint)
            ? ModifyWord(in i, address, (AtomicOperation)(i.Opcode - Opcode.AmoSwapW))
            : ModifyDouble(in i, address, (AtomicOperation)(i.Opcode - Opcode.AmoSwapD));
    }

    private bool LoadReserved(in Instruction i, ulong address, int size)
    {
        ulong value;
        if (size == sizeof(uint))
        {
            if (!_mmu.Data.TryRead(address, out uint word))
            {
                if (!_mmu.TryLoad(address, size, out value))
                    return false;
                word = (uint)value;
            }

            value = (ulong)(int)word;
        }
        else if (!_mmu.Data.TryRead(address, out value) && !_mmu.TryLoad(address, size, out value))
        {
            return false;
        }

        // What follows must not be read before.
        Interlocked.MemoryBarrier();
        _state.LoadRes = address;
        _state.LoadVal = value;
        _state.X[i.Rd & 63] = value;
        return true;
    }

    private bool StoreConditional(in Instruction i, ulong address, int size)
    {
        var exchanged = false;
        var value = _state.X[i.Rs2 & 63];
        if (_state.LoadRes != address)
        {
            // It fails in any case, but first comes the permission to store, even where nothing is.
            if (!_mmu.IsAllowed(address, size, AccessType.Store))
                return false;
        }
        else if (!TryExchange(address, size, value, out exchanged))
        {
            if (!_mmu.TryAccess(address, size, AccessType.Store))
                return false;
            // Once more, now that the TLB knows the page, if it may.
            if (!TryExchange(address, size, value, out exchanged) && !ExchangeSlowly(address, size, value, out exchanged))
                return false;
        }

        _state.LoadRes = HartState.NoReservation;
        _state.X[i.Rd & 63] = exchanged ? 0UL : 1;
        return true;
    }

    private bool TryExchange(ulong address, int size, ulong value, out bool exchanged) => size == sizeof(uint)
        ? _mmu.Data.TryCompareExchange(address, (uint)_state.LoadVal, (uint)value, out exchanged)
        : _mmu.Data.TryCompareExchange(address, _state.LoadVal, value, out exchanged);

    private bool ModifyWord(in Instruction i, ulong address, AtomicOperation operation)
    {
        var operand = (uint)_state.X[i.Rs2 & 63];
        if (!_mmu.Data.TryAtomic(address, operation, operand, out uint old))
        {
            if (!_mmu.TryAccess(address, sizeof(uint), AccessType.Store))
                return false;
            if (!_mmu.Data.TryAtomic(address, operation, operand, out old))
            {
                if (!ModifySlowly(address, sizeof(uint), operation, operand, out var wide))
                    return false;
                old = (uint)wide;
            }
        }

        _state.X[i.Rd & 63] = (ulong)(int)old;
        return true;
    }

    private bool ModifyDouble(in Instruction i, ulong address, AtomicOperation operation)
    {
        var operand = _state.X[i.Rs2 & 63];
        if (!_mmu.Data.TryAtomic(address, operation, operand, out ulong old))
        {
            if (!_mmu.TryAccess(address, sizeof(ulong), AccessType.Store))
                return false;
            if (!_mmu.Data.TryAtomic(address, operation, operand, out old) && !ModifySlowly(address, sizeof(ulong), operation, operand, out old))
                return false;
        }

        _state.X[i.Rd & 63] = old;
        return true;
    }

    /// <summary>On a page that protection divides, which no TLB holds: still atomic. On a device: one hart at a time.</summary>
    private bool ModifySlowly(ulong address, int size, AtomicOperation operation, ulong operand, out ulong old)
    {
        if (_mmu.WritableRam is { } ram)
        {
            old = size == sizeof(uint)
                ? ram.Modify32(_mmu.Physical, operation, (uint)operand)
                : ram.Modify64(_mmu.Physical, operation, operand);
            return true;
        }

        using var held = hart.Memory.DeviceLock.EnterScope();
        return TryLoadForStore(address, size, out old)
            && _mmu.TryStore(address, size, size == sizeof(uint) ? operation.Apply((uint)old, (uint)operand) : operation.Apply(old, operand));
    }

    private bool ExchangeSlowly(ulong address, int size, ulong value, out bool exchanged)
    {
        if (_mmu.WritableRam is { } ram)
        {
            exchanged = size == sizeof(uint)
                ? ram.CompareExchange32(_mmu.Physical, (uint)_state.LoadVal, (uint)value)
                : ram.CompareExchange64(_mmu.Physical, _state.LoadVal, value);
            return true;
        }

        using var held = hart.Memory.DeviceLock.EnterScope();
        exchanged = false;
        if (!TryLoadForStore(address, size, out var old))
            return false;
        exchanged = old == (size == sizeof(uint) ? (uint)_state.LoadVal : _state.LoadVal);
        return !exchanged || _mmu.TryStore(address, size, value);
    }

    // The store's permission was asked before; a fault of the load is one of the store too.
    private bool TryLoadForStore(ulong address, int size, out ulong value) =>
        _mmu.TryLoad(address, size, out value)
        || _mmu.Fail(_mmu.FaultCause == ExceptionCause.LoadPageFault ? ExceptionCause.StorePageFault : ExceptionCause.StoreAccessFault, address);
}
