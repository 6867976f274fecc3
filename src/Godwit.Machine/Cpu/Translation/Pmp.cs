namespace Godwit.Machine.Cpu.Translation;

/// <summary>Physical memory protection: 16 entries (QEMU: <c>target/riscv/pmp.c</c>).
/// <code>pmpcfg: 7 L | 4:3 A (0 off, 1 TOR, 2 NA4, 3 NAPOT) | 2 X | 1 W | 0 R</code></summary>
/// <param name="state">Whose pmpcfg and pmpaddr count.</param>
internal sealed class Pmp(HartState state)
{
    private const byte Lock = 0x80, ModeMask = 0x18, Tor = 0x08, Na4 = 0x10, Writable = 0x9f;
    private const ulong AddressMask = (1UL << 54) - 1;

    private readonly ulong[] _start = new ulong[HartState.PmpEntries];
    private readonly ulong[] _end = new ulong[HartState.PmpEntries];
    private int _active;

    /// <summary>Whether any entry is on; if not, every access is allowed in machine mode and none below it.</summary>
    public bool HasRules => _active != 0;

    /// <summary>To be called when the entries were changed from outside.</summary>
    public void Update()
    {
        _active = 0;
        for (var n = 0; n < HartState.PmpEntries; n++)
            Update(n);
    }

    /// <summary>One pmpcfg register: eight entries. Locked ones stay as they are.</summary>
    public void WriteConfig(int register, ulong value)
    {
        for (var k = 0; k < 8; k++)
        {
            var n = (register * 4) + k;
            if ((state.PmpCfg[n] & Lock) == 0)
                state.PmpCfg[n] = (byte)((value >> (k * 8)) & Writable);
        }

        Update();
    }

    public ulong ReadConfig(int register)
    {
        ulong value = 0;
        for (var k = 0; k < 8; k++)
            value |= (ulong)state.PmpCfg[(register * 4) + k] << (k * 8);
        return value;
    }

    public void WriteAddress(int n, ulong value)
    {
        var next = n + 1 < HartState.PmpEntries ? state.PmpCfg[n + 1] : (byte)0;
        var lockedByNext = (next & Lock) != 0 && (next & ModeMask) == Tor;
        if ((state.PmpCfg[n] & Lock) != 0 || lockedByNext)
            return;
        state.PmpAddr[n] = value & AddressMask;
        Update();
    }

    /// <summary>Whether an access is allowed.</summary>
    /// <param name="size">In bytes.</param>
    public bool Allows(ulong address, ulong size, AccessType type, Privilege privilege)
    {
        if (_active == 0)
            return privilege == Privilege.Machine;
        for (var n = 0; n < HartState.PmpEntries; n++)
        {
            if ((state.PmpCfg[n] & ModeMask) == 0 || _end[n] < _start[n])
                continue;
            var first = address >= _start[n] && address <= _end[n];
            var last = address + size - 1 >= _start[n] && address + size - 1 <= _end[n];
            if (first != last)
                return false;
            if (first)
                return (privilege == Privilege.Machine && (state.PmpCfg[n] & Lock) == 0) || ((state.PmpCfg[n] >> (int)type) & 1) != 0;
        }

        return privilege == Privilege.Machine;
    }

    /// <summary>Whether all of a page is under the same entry (or none), so that one check holds for every access to it.</summary>
    public bool IsUniform(ulong page, ulong pageSize)
    {
        if (_active == 0)
            return true;
        var last = page + pageSize - 1;
        for (var n = 0; n < HartState.PmpEntries; n++)
        {
            if ((state.PmpCfg[n] & ModeMask) == 0 || _end[n] < _start[n] || _end[n] < page || _start[n] > last)
                continue;
            // The first entry that touches the page decides: all of it, or there is more than one answer.
            return _start[n] <= page && _end[n] >= last;
        }

        return true;
    }

    private void Update(int n)
    {
        var address = state.PmpAddr[n];
        switch (state.PmpCfg[n] & ModeMask)
        {
            case 0:
                return;
            case Tor:
                var previous = n == 0 ? 0 : state.PmpAddr[n - 1];
                (_start[n], _end[n]) = previous >= address ? (1UL, 0UL) : (previous << 2, (address << 2) - 1);
                break;
            case Na4:
                (_start[n], _end[n]) = (address << 2, (address << 2) + 3);
                break;
            default:
                var low = (address << 2) | 3;
                // All ones is everything, beyond the 56 bits of a physical address too.
                (_start[n], _end[n]) = address == AddressMask ? (0, ulong.MaxValue) : (low & (low + 1), low | (low + 1));
                break;
        }

        _active++;
    }
}
