using Godwit.Machine.Virt.DeviceTree;

namespace Godwit.Machine.Virt.Loading;

/// <summary>Reads firmware, kernel, initrd and device tree and finds their places, by the rules of QEMU's <c>hw/riscv/boot.c</c>.</summary>
public sealed class BoardLoader
{
    private const ulong KernelAlignment = 2 << 20, DeviceTreeAlignment = 2 << 20;
    private const ulong FarthestInitrd = 512 << 20;

    /// <summary>Linux takes no larger one.</summary>
    private const ulong MaxDeviceTree = 2 << 20;

    private readonly LoadRequest _request;
    private readonly List<RomBlob> _blobs = [];
    private readonly ulong _ramEnd;

    private BoardLoader(LoadRequest request)
    {
        _request = request;
        _ramEnd = MemoryMap.RamBase + request.MemorySize;
    }

    /// <exception cref="LoadException">A file is missing, isn't what it should be, or has no room.</exception>
    public static BoardImage Load(LoadRequest request) => new BoardLoader(request).Load();

    private BoardImage Load()
    {
        var tree = ReadDeviceTree();
        var (start, firmwareEnd) = LoadFirmware();
        ulong kernelEntry = 0, limit = 0;
        if (_request.Kernel is not null)
        {
            (kernelEntry, limit, var needs) = LoadKernel(AlignUp(firmwareEnd, KernelAlignment));
            var kernelMemory = kernelEntry + needs;
            if (_request.Initrd is { } initrd)
            {
                limit = LoadInitrd(initrd, kernelEntry, tree, kernelMemory);
                kernelMemory = limit;
            }

            if (!string.IsNullOrEmpty(_request.CommandLine))
                Chosen(tree).SetStrings("bootargs", _request.CommandLine);
            limit = Math.Max(limit, kernelMemory);
        }

        var blob = tree.ToBytes();
        var treeAddress = (_ramEnd - (ulong)blob.Length) & ~(DeviceTreeAlignment - 1);
        if ((ulong)blob.Length > _request.MemorySize || treeAddress < MemoryMap.RamBase || treeAddress < limit)
            throw new LoadException($"there is no room for the device tree behind what is loaded: {_request.MemorySize >> 20} MiB of memory are too few, give more with -m");
        Add(new RomBlob("device tree", treeAddress, blob));
        RefuseOverlaps();

        var vector = ResetVector.Create(start, treeAddress, kernelEntry);
        _blobs.Add(new RomBlob("boot ROM", MemoryMap.Mrom.Base, vector));
        return new BoardImage(_blobs, blob, tree.ValuesOf("rng-seed"))
        {
            ResetVector = vector,
            StartAddress = start,
            DeviceTreeAddress = treeAddress,
            KernelEntry = kernelEntry,
        };
    }

    private FlattenedDeviceTree ReadDeviceTree()
    {
        if (_request.DeviceTree is not { } path)
            return VirtDeviceTree.Create(_request.Cpu, _request.Harts, _request.MemorySize);
        try
        {
            return FlattenedDeviceTree.Parse(GuestFile.Read("device tree", path, MaxDeviceTree));
        }
        catch (DeviceTreeException e)
        {
            throw new LoadException($"device tree '{path}': {e.Message}: make it with dtc -O dtb", e);
        }
    }

    private (ulong Start, ulong End) LoadFirmware()
    {
        if (FirmwareSearch.Find(_request.Firmware, _request.DataFolders) is not { } path)
            return (MemoryMap.RamBase, MemoryMap.RamBase);
        var what = $"firmware '{path}'";
        var bytes = GuestFile.Read("firmware", path, _request.MemorySize);
        if (ElfImage.IsElf(bytes))
        {
            var elf = ElfImage.Parse(what, bytes);
            AddAll(elf.Segments);
            return (elf.Entry, elf.High);
        }

        Add(new RomBlob(what, MemoryMap.RamBase, bytes));
        return (MemoryMap.RamBase, MemoryMap.RamBase + (ulong)bytes.Length);
    }

    /// <summary>An ELF file's lowest address counts, not its entry, so that it starts as the same kernel in raw form does.</summary>
    private (ulong Entry, ulong End, ulong Needs) LoadKernel(ulong start)
    {
        var path = _request.Kernel!;
        var what = $"kernel '{path}'";
        var bytes = GuestFile.Read("kernel", path, _request.MemorySize);
        if (ElfImage.IsElf(bytes))
        {
            var elf = ElfImage.Parse(what, bytes);
            AddAll(elf.Segments);
            return (elf.Low, elf.High, elf.High - elf.Low);
        }

        LinuxImage.RefuseForeign(what, bytes);
        Add(new RomBlob(what, start, bytes));
        var needs = Math.Max(LinuxImage.MemorySize(bytes), (ulong)bytes.Length);
        if (needs > _ramEnd - start)
            throw new LoadException($"{what} takes {needs >> 20} MiB of memory from {start:x} on, more than there is: give the machine more with -m");
        return (start, start + (ulong)bytes.Length, needs);
    }

    private ulong LoadInitrd(string path, ulong kernelEntry, FlattenedDeviceTree tree, ulong kernelEnd)
    {
        var start = kernelEntry + Math.Min(_request.MemorySize / 2, FarthestInitrd);
        if (start >= _ramEnd)
            throw new LoadException($"initrd '{path}' would stand at {start:x}, behind the memory's end: give the machine more memory with -m");
        if (kernelEnd > start)
            throw new LoadException($"initrd '{path}' would stand at {start:x}, inside what the kernel takes: give the machine more memory with -m");
        var bytes = GuestFile.Read("initrd", path, _ramEnd - start);
        var blob = new RomBlob($"initrd '{path}'", start, bytes);
        Add(blob);
        Chosen(tree).SetCellPairs("linux,initrd-start", start).SetCellPairs("linux,initrd-end", blob.End);
        return blob.End;
    }

    private static DeviceTreeNode Chosen(FlattenedDeviceTree tree) => tree.Root.Child("chosen") ?? tree.Root.AddChild("chosen");

    private void AddAll(IReadOnlyList<RomBlob> blobs)
    {
        foreach (var blob in blobs)
            Add(blob);
    }

    private void Add(RomBlob blob)
    {
        if (blob.Address < MemoryMap.RamBase || blob.Address > _ramEnd || blob.Length > _ramEnd - blob.Address)
            throw new LoadException($"{blob.Name} has {blob.Length} bytes at {blob.Address:x}: not all of that is in memory, which is from {MemoryMap.RamBase:x} to {_ramEnd:x}");
        _blobs.Add(blob);
    }

    private void RefuseOverlaps()
    {
        var sorted = _blobs.OrderBy(b => b.Address).ToList();
        for (var i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].Address < sorted[i - 1].End)
            {
                throw new LoadException($"{sorted[i].Name} at {sorted[i].Address:x} overlaps {sorted[i - 1].Name}, which ends at {sorted[i - 1].End:x}: "
                    + (sorted[i - 1].Name.StartsWith("firmware", StringComparison.Ordinal) ? "link the kernel elsewhere, or start it with -bios none" : "give the machine more memory with -m"));
            }
        }
    }

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}
