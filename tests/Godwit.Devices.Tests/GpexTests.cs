using Godwit.Devices.Gpex;
using Godwit.Devices.Tests.Qtest;
using Godwit.Memory;

namespace Godwit.Devices.Tests;

public sealed class GpexTests
{
    private const ulong Ecam = VirtDevices.Ecam;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_host_bridges_configuration_reads_as_in_QEMU(int seed)
    {
        using var both = new SideBySide();
        for (var offset = 0u; offset < 4096; offset += 4)
            both.Read(Ecam + offset, 4);

        both.Play(seed, 3000, Ecam, [.. Enumerable.Range(0, 0x120).Select(i => (ulong)i), 0xffc], [1, 2, 4, 8]);
    }

    [Fact]
    public void Where_no_function_is_all_reads_are_ones_as_in_QEMU()
    {
        using var both = new SideBySide();
        both.Play(3, 300, Ecam, [0x1000, 0x8000, 0x8004, 0x100000, 0x7f00ffc, 0xfffffff], [1, 2, 4, 8]);
        both.Play(4, 300, VirtDevices.Pio, [0, 0x60, 0xcf8, 0xfff8], [1, 2, 4, 8]);
        both.Play(5, 300, VirtDevices.PciMmio, [0, 0x1000, 0x3fff_fff8], [1, 2, 4, 8]);
        both.Play(6, 300, VirtDevices.PciHighMmio, [0, 0x1000, 0x3_ffff_fff8], [1, 2, 4, 8]);
        Assert.Equal(0xffffffffu, both.Read(Ecam + 0x8000, 4));
    }

    [Fact]
    public void A_function_answers_where_its_base_address_is()
    {
        using var ours = new VirtDevices();
        var registers = new Registers();
        var function = new PciFunction("test", 0x1234, 0x5678, 0x0200, interruptPin: 1);
        function.AddBar(0, PciBarKind.Memory32, 0x1000, registers);
        function.AddBar(2, PciBarKind.Memory64, 0x4000, registers);
        ours.Pci.Plug(2, 0, function);
        var config = Ecam + (2 << 15);

        Assert.Equal(0x56781234u, ours.Read(config, 4));
        ours.Write(config + 0x10, 4, uint.MaxValue);
        Assert.Equal(0xfffff000u, ours.Read(config + 0x10, 4));
        ours.Write(config + 0x18, 8, ulong.MaxValue);
        Assert.Equal(0xffffffff_ffffc004u, ours.Read(config + 0x18, 8));
        ours.Write(config + 0x10, 4, 0x4000_2000);
        ours.Write(config + 0x18, 4, 0x8000);
        ours.Write(config + 0x1c, 4, 4);
        Assert.Equal(uint.MaxValue, ours.Read(0x4000_2010, 4));
        ours.Write(config + 4, 2, 2);

        Assert.Equal(0x10u, ours.Read(0x4000_2010, 4));
        Assert.Equal(uint.MaxValue, ours.Read(0x4000_3000, 4));
        Assert.Equal(0x20u, ours.Read(0x4_0000_8020, 4));
        ours.Pci.Reset();
        Assert.Equal(uint.MaxValue, ours.Read(0x4000_2010, 4));
        Assert.Equal(0u, ours.Read(config + 0x10, 4));
    }

    [Fact]
    public void Pins_reach_their_swizzled_lines_and_lines_are_shared()
    {
        using var ours = new VirtDevices();
        var first = new PciFunction("first", 1, 1, 0x0200, interruptPin: 1);
        var second = new PciFunction("second", 1, 1, 0x0200, interruptPin: 4);
        ours.Pci.Plug(2, 0, first);
        ours.Pci.Plug(3, 0, second);

        first.SetInterrupt(true);
        second.SetInterrupt(true);

        // Both (2 + 0) and (3 + 3) modulo 4 are line 2, source 34.
        Assert.Equal([0, 0, 2, 0], ours.Pci.State.IrqCount);
        Assert.Equal(1u << 2, ours.Read(VirtDevices.PlicBase + 0x1004, 4));
        Assert.Equal(8u, ours.Read(Ecam + (2 << 15) + 6, 2));
        first.SetInterrupt(false);
        Assert.Equal([0, 0, 1, 0], ours.Pci.State.IrqCount);
        ours.Write(Ecam + (3 << 15) + 4, 2, 0x400);
        Assert.Equal([0, 0, 0, 0], ours.Pci.State.IrqCount);
    }

    /// <summary>Reads are the offset.</summary>
    private sealed class Registers : IMmioDevice
    {
        public string Name => "registers";

        public AccessSizes Sizes => new(4, 4);

        public ulong Read(ulong offset, int size) => offset;

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }
}
