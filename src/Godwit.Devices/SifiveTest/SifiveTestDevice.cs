using Godwit.Memory;

namespace Godwit.Devices.SifiveTest;

/// <summary>The register by which a guest switches the machine off or resets it (QEMU: <c>riscv.sifive.test</c>, <c>hw/misc/sifive_test.c</c>).
/// It has no state to migrate.</summary>
/// <param name="requested">Called with the machine's lock held, by the hart that wrote.</param>
public sealed class SifiveTestDevice(Action<PowerEvent> requested) : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes.</summary>
    public const ulong RegionSize = 0x1000;

    private const ulong Finisher = 0;
    private const ushort Fail = 0x3333, Pass = 0x5555, ResetMachine = 0x7777;

    public string Name => "riscv.sifive.test";

    public AccessSizes Sizes => new(2, 4);

    public ulong Read(ulong offset, int size) => 0;

    public void Write(ulong offset, int size, ulong value)
    {
        if (offset != Finisher)
            return;
        var code = (ushort)(value >> 16);
        switch ((ushort)value)
        {
            case Fail:
                requested(new PowerEvent(PowerEventKind.Shutdown, code, IsFailure: true));
                break;
            case Pass:
                requested(new PowerEvent(PowerEventKind.Shutdown, code));
                break;
            case ResetMachine:
                requested(new PowerEvent(PowerEventKind.Reset));
                break;
        }
    }

    /// <summary>Nothing to reset.</summary>
    public void Reset()
    {
    }
}
