using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.Aclint;

/// <summary>Machine software interrupts: a register and a line for each hart (QEMU: <c>riscv.aclint.swi</c>, <c>hw/intc/riscv_aclint.c</c>).</summary>
public sealed class AclintSwiDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes.</summary>
    public const ulong RegionSize = 0x4000;

    private const ulong BytesPerHart = 4;

    private readonly InterruptLine[] _lines;

    /// <param name="lines">MSIP of each hart.</param>
    public AclintSwiDevice(IReadOnlyList<InterruptLine> lines)
    {
        _lines = [.. lines];
        State = new AclintSwiState(_lines.Length);
    }

    public string Name => "riscv.aclint.swi";

    public AccessSizes Sizes => new(4, 4);

    public AclintSwiState State { get; }

    public ulong Read(ulong offset, int size)
    {
        var hart = offset / BytesPerHart;
        return hart < (ulong)_lines.Length && State.Msip[hart] ? 1u : 0;
    }

    public void Write(ulong offset, int size, ulong value)
    {
        var hart = offset / BytesPerHart;
        if (hart < (ulong)_lines.Length)
            Set((int)hart, (value & 1) != 0);
    }

    public void Reset()
    {
        for (var hart = 0; hart < _lines.Length; hart++)
            Set(hart, false);
    }

    private void Set(int hart, bool level)
    {
        State.Msip[hart] = level;
        _lines[hart].Set(level);
    }
}
