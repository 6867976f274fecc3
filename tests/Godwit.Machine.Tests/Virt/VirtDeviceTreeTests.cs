using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.DeviceTree;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Virt;

/// <summary>The board's device tree against the one that QEMU makes.</summary>
public sealed class VirtDeviceTreeTests
{
    [Theory]
    [InlineData(1, 128)]
    [InlineData(4, 512)]
    [InlineData(8, 4096)]
    [InlineData(3, 20480)]
    public async Task It_is_QEMUs_to_the_byte(int harts, int megabytes)
    {
        var theirs = await QemuTree.DumpAsync("-cpu", "rv64,h=false", "-smp", $"{harts}", "-m", $"{megabytes}M");

        var ours = VirtDeviceTree.Create(QemuTree.AsQemuNamesIt(CpuModel.Default), harts, (ulong)megabytes << 20).ToBytes();

        Assert.Equal(QemuTree.Lines(QemuTree.WithoutSeed(theirs)), QemuTree.Lines(ours));
        Assert.Equal(QemuTree.WithoutSeed(theirs), ours);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task With_kernel_initrd_and_command_line_it_is_QEMUs_to_the_byte(int megabytes)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("kernel"), new byte[5000]);
        await File.WriteAllBytesAsync(folder.File("initrd"), new byte[3_000_001]);
        var firmware = FirmwareSearch.Find(null, [])!;
        string[] files = ["-bios", firmware, "-kernel", folder.File("kernel"), "-initrd", folder.File("initrd"), "-append", "console=ttyS0 ro"];
        var theirs = await QemuTree.DumpAsync(["-cpu", "rv64,h=false", "-smp", "4", "-m", $"{megabytes}M", .. files]);

        var ours = BoardLoader.Load(new LoadRequest(QemuTree.AsQemuNamesIt(CpuModel.Default), 4, (ulong)megabytes << 20)
        { Firmware = firmware, Kernel = folder.File("kernel"), Initrd = folder.File("initrd"), CommandLine = "console=ttyS0 ro" });

        Assert.Equal(QemuTree.Lines(QemuTree.WithoutSeed(theirs)), QemuTree.Lines(QemuTree.WithoutSeed(ours.DeviceTree.ToArray())));
        Assert.Equal(QemuTree.WithoutSeed(theirs), QemuTree.WithoutSeed(ours.DeviceTree.ToArray()));
    }

    [Fact]
    public async Task The_harts_have_what_QEMUs_have_but_for_hypervisor_and_triggers()
    {
        var theirs = FlattenedDeviceTree.Parse(await QemuTree.DumpAsync("-cpu", "rv64,h=false")).Find("/cpus/cpu@0")!;

        var ours = VirtDeviceTree.Create(CpuModel.Default, 1, 128 << 20).Find("/cpus/cpu@0")!;

        var missing = Names(theirs).Except(Names(ours), StringComparer.Ordinal);
        Assert.Equal(["sdtrig", "shcounterenw", "shgatpa", "shtvala", "shvsatpa", "shvstvala", "shvstvecd"], missing);
        Assert.Empty(Names(ours).Except(Names(theirs), StringComparer.Ordinal));
        Assert.Equal(Names(ours), Names(theirs).Intersect(Names(ours), StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("zba=false,zbb=off,zbc=no,zbs=false")]
    [InlineData("zicbom=false,zicbop=false,zicboz=false")]
    [InlineData("zihintntl=off,zihintpause=off,zawrs=off,zfa=off")]
    [InlineData("sstc=off,svadu=off,svvptc=off")]
    [InlineData("sv57=off")]
    [InlineData("sv48=off")]
    [InlineData("sv48=on")]
    [InlineData("sv39=on")]
    [InlineData("sv39=on,sv57=off")]
    [InlineData("zba=off,zba=on,v=off")]
    public async Task What_a_cpu_option_turns_off_is_what_QEMU_turns_off(string properties)
    {
        var theirs = await QemuTree.DumpAsync("-cpu", $"rv64,h=false,{properties}");

        var ours = VirtDeviceTree.Create(QemuTree.AsQemuNamesIt(CpuModel.Parse($"rv64,h=false,{properties}")), 1, 128 << 20).ToBytes();

        Assert.Equal(QemuTree.Lines(QemuTree.WithoutSeed(theirs)), QemuTree.Lines(ours));
    }

    [Fact]
    public void No_two_parts_of_the_board_lie_on_each_other()
    {
        var parts = MemoryMap.Fixed.Append(MemoryMap.Ram(4UL << 30)).Append(MemoryMap.HighPcieMmio(4UL << 30)).ToList();

        for (var i = 1; i < parts.Count; i++)
            Assert.True(parts[i - 1].End <= parts[i].Base, $"{parts[i - 1]} and {parts[i]}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void A_number_of_harts_that_the_board_cannot_have_is_refused(int harts) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => VirtDeviceTree.Create(CpuModel.Default, harts, 128 << 20));

    private static string[] Names(DeviceTreeNode hart) => System.Text.Encoding.ASCII.GetString(hart.Get("riscv,isa-extensions")!).Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
