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
        if (_state.LoadRes == address)
        {
            var value = _state.X[i.Rs2 & 63];
            var done = size == sizeof(uint)
                ? TryExchangeWord(address, (uint)value, out exchanged)
                : TryExchangeDouble(address, value, out exchanged);
            if (!done && !ExchangeSlowly(address, size, value, out exchanged))
                return false;
        }

        _state.LoadRes = HartState.NoReservation;
        _state.X[i.Rd & 63] = exchanged ? 0UL : 1;
        return true;
    }

    // A second try after the slow path has filled the TLB.
    private bool TryExchangeWord(ulong address, uint value, out bool exchanged) =>
        _mmu.Data.TryCompareExchange(address, (uint)_state.LoadVal, value, out exchanged)
        || (_mmu.TryAccess(address, sizeof(uint), AccessType.Store)
            && _mmu.Data.TryCompareExchange(address, (uint)_state.LoadVal, value, out exchanged));

    private bool TryExchangeDouble(ulong address, ulong value, out bool exchanged) =>
        _mmu.Data.TryCompareExchange(address, _state.LoadVal, value, out exchanged)
        || (_mmu.TryAccess(address, sizeof(ulong), AccessType.Store)
            && _mmu.Data.TryCompareExchange(address, _state.LoadVal, value, out exchanged));

    private bool ModifyWord(in Instruction i, ulong address, AtomicOperation operation)
    {
        var operand = (uint)_state.X[i.Rs2 & 63];
        if (!_mmu.Data.TryAtomic(address, operation, operand, out uint old))
        {
            if (!_mmu.TryAccess(address, sizeof(uint), AccessType.Store))
                return false;
            if (!_mmu.Data.TryAtomic(address, operation, operand, out old))
            {
                if (!ModifySlowly(address, sizeof(uint), v => operation.Apply((uint)v, operand), out var wide))
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
            if (!_mmu.Data.TryAtomic(address, operation, operand, out old)
                && !ModifySlowly(address, sizeof(ulong), v => operation.Apply(v, operand), out old))
            {
                return false;
            }
        }

        _state.X[i.Rd & 63] = old;
        return true;
    }

    private bool ExchangeSlowly(ulong address, int size, ulong value, out bool exchanged)
    {
        var expected = size == sizeof(uint) ? (uint)_state.LoadVal : _state.LoadVal;
        var done = ModifySlowly(address, size, v => v == expected ? value : v, out var old);
        exchanged = done && old == expected;
        return done;
    }

    /// <summary>On a device, or on a page that protection divides: one hart at a time.</summary>
    private bool ModifySlowly(ulong address, int size, Func<ulong, ulong> change, out ulong old)
    {
        using var held = hart.Memory.DeviceLock.EnterScope();
        // The store's permission was asked before; the load's own fault is one of the store too.
        if (!_mmu.TryLoad(address, size, out old))
        {
            return _mmu.Fail(_mmu.FaultCause switch
            {
                ExceptionCause.LoadPageFault => ExceptionCause.StorePageFault,
                _ => ExceptionCause.StoreAccessFault,
            }, address);
        }

        return _mmu.TryStore(address, size, change(old));
    }
}
