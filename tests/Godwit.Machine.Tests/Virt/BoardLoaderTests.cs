using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.DeviceTree;
using Godwit.Machine.Virt.Loading;
using Godwit.Memory;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Virt;

/// <summary>What stands in memory after loading, against what a paused QEMU has there.</summary>
public sealed class BoardLoaderTests : IDisposable
{
    private const ulong Memory = 256 << 20;

    private readonly TemporaryFolder _folder = new();
    private readonly RamBlock _ram = RamBlock.Create(MemoryMap.RamName, Memory);
    private readonly RamBlock _mrom = RamBlock.Create(MemoryMap.Mrom.Name, MemoryMap.Mrom.Size);
    private readonly AddressSpace _memory = new();

    public BoardLoaderTests()
    {
        _memory.MapRam(MemoryMap.Mrom.Base, _mrom, 0, MemoryMap.Mrom.Size, readOnly: true);
        _memory.MapRam(MemoryMap.RamBase, _ram, 0, Memory);
    }

    [Fact]
    public Task Image_initrd_and_command_line_stand_where_QEMU_puts_them() => CompareAsync(Request() with
    {
        Firmware = FirmwareSearch.Find("default", []),
        Kernel = File("Image", Kernels.Image(6_000_123)),
        Initrd = File("initrd", Random(9_000_321)),
        CommandLine = "console=ttyS0",
    });

    [Fact]
    public Task The_default_firmware_is_QEMUs() => CompareAsync(Request() with { Kernel = File("raw", Random(300_001)) }, "qemu-system-riscv64");

    [Fact]
    public Task Without_a_kernel_there_is_firmware_alone() => CompareAsync(Request() with { Firmware = FirmwareSearch.Find("default", []) });

    [Fact]
    public Task A_kernel_in_ELF_form_stands_at_its_own_addresses() => CompareAsync(Request() with
    {
        Firmware = FirmwareSearch.Find("default", []),
        Kernel = File("vmlinux", Kernels.Elf(entry: 0x8040_0010, (0x8040_0000, Random(5000), 9000), (0x8060_0000, Random(100_000), 100_000))),
        Initrd = File("initrd", Random(40_000)),
    });

    [Fact]
    public Task Without_firmware_the_kernel_starts_where_memory_does() => CompareAsync(Request() with
    {
        Firmware = "none",
        Kernel = Repository.Path("guests", "heartbeat", "heartbeat.elf"),
        CommandLine = "pages=4k",
    });

    [Fact]
    public Task Firmware_in_ELF_form_starts_at_its_entry() => CompareAsync(Request() with
    {
        Firmware = File("firmware", Kernels.Elf(entry: 0x8000_0020, (0x8000_0000, Random(70_000), 3 << 20))),
        Kernel = File("raw", Random(4097)),
    });

    [Fact]
    public Task An_entry_among_virtual_addresses_is_where_its_segment_is_loaded()
    {
        const int VirtualAddress = 64 + 16;
        var firmware = Kernels.Elf(entry: 0x20, (0x8000_0000, Random(70_000), 70_000));
        firmware.AsSpan(VirtualAddress, sizeof(ulong)).Clear();
        return CompareAsync(Request() with { Firmware = File("firmware", firmware) });
    }

    [Fact]
    public Task Zeros_that_would_reach_into_another_segment_are_left_out() => CompareAsync(Request() with
    {
        Firmware = "none",
        Kernel = File("vmlinux", Kernels.Elf(entry: 0x8000_0000, (0x8000_0000, Random(5000), 200_000), (0x8001_0000, Random(6000), 9000))),
    });

    [Fact]
    public async Task A_device_tree_of_the_users_is_given_the_choices()
    {
        var tree = VirtDeviceTree.Create(CpuModel.Default, 2, Memory);
        tree.Root.AddChild("mine").SetStrings("note", "kept");
        await CompareAsync(Request() with
        {
            Firmware = "none",
            Kernel = File("raw", Random(4097)),
            Initrd = File("initrd", Random(100)),
            CommandLine = "quiet",
            DeviceTree = File("dtb", tree.ToBytes()),
        });
    }

    [Fact]
    public void Installing_again_restores_all_and_gives_a_new_seed()
    {
        var image = BoardLoader.Load(Request() with
        {
            Firmware = "none",
            Kernel = File("elf", Kernels.Elf(0x8000_0000, (0x8000_0000, Random(5000), 9000))),
        });
        image.Install(_memory);
        var before = Bytes(MemoryMap.RamBase, 16384);
        var tree = image.DeviceTree.ToArray();
        Assert.True(_memory.TryWrite(MemoryMap.RamBase, Enumerable.Repeat((byte)0xff, 9000).ToArray()));

        image.Install(_memory);

        Assert.Equal(before, Bytes(MemoryMap.RamBase, 16384));
        Assert.NotEqual(tree, image.DeviceTree.ToArray());
        Assert.Equal(QemuTree.WithoutSeed(tree), QemuTree.WithoutSeed(image.DeviceTree.ToArray()));
        Assert.Equal(image.DeviceTree.ToArray(), Bytes(image.DeviceTreeAddress, image.DeviceTree.Length));
        Assert.NotEqual(new byte[32], FlattenedDeviceTree.Parse(tree).Find("/chosen")!.Get("rng-seed"));
    }

    public void Dispose()
    {
        _ram.Dispose();
        _mrom.Dispose();
        _folder.Dispose();
    }

    private static LoadRequest Request() => new(QemuTree.AsQemuNamesIt(CpuModel.Default), 2, Memory);

    private string File(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(_folder.File(name), bytes);
        return _folder.File(name);
    }

    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private async Task CompareAsync(LoadRequest request, string qemu = "qemu-newest-system-riscv64")
    {
        var image = BoardLoader.Load(request);
        image.Install(_memory);
        var cpu = qemu.Contains("newest", StringComparison.Ordinal) ? "rv64,h=false" : "rv64";
        List<string> arguments = ["-M", "virt", "-cpu", cpu, "-smp", "2", "-m", $"{Memory >> 20}M", "-nodefaults", "-display", "none", "-S"];
        AddOption("-bios", request.Firmware ?? "default");
        AddOption("-kernel", request.Kernel);
        AddOption("-initrd", request.Initrd);
        AddOption("-append", request.CommandLine);
        AddOption("-dtb", request.DeviceTree);
        await using var machine = await QemuProcess.StartAsync(Peers.Path(qemu), arguments);

        foreach (var blob in image.Blobs)
        {
            var theirs = await SaveAsync(machine, blob.Address, blob.Length);
            var ours = Bytes(blob.Address, (int)blob.Length);
            if (blob.Address == image.DeviceTreeAddress)
            {
                if (cpu != "rv64")
                    Assert.Equal(QemuTree.Lines(QemuTree.WithoutSeed(theirs)), QemuTree.Lines(QemuTree.WithoutSeed(ours)));
                continue;
            }

            Assert.True(theirs.AsSpan().SequenceEqual(ours), $"{blob.Name} at {blob.Address:x}");
        }

        Assert.Equal(await SaveAsync(machine, MemoryMap.Mrom.Base, MemoryMap.Mrom.Size), Bytes(MemoryMap.Mrom.Base, (int)MemoryMap.Mrom.Size));

        void AddOption(string name, string? value)
        {
            if (value is not null)
                arguments.AddRange([name, value]);
        }
    }

    private async Task<byte[]> SaveAsync(QemuProcess machine, ulong address, ulong length)
    {
        var file = _folder.File("saved");
        await machine.Qmp.ExecuteAsync("pmemsave", new() { ["val"] = address, ["size"] = length, ["filename"] = file });
        return await System.IO.File.ReadAllBytesAsync(file);
    }

    private byte[] Bytes(ulong address, int length)
    {
        var bytes = new byte[length];
        Assert.True(_memory.TryRead(address, bytes));
        return bytes;
    }
}
