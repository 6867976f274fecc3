using Godwit.Linux;
using Godwit.Machine.Virt;
using Godwit.Memory;

namespace Godwit.Cli.Run;

internal enum MemoryBackendKind
{
    Ram,
    Memfd,
    File,
}

/// <summary>Guest memory that <c>-object memory-backend-…</c> describes.</summary>
/// <param name="Id">Also the RAM block's name in the migration stream: QEMU calls it so, not <c>riscv_virt_board.ram</c>.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Share">Whether what the guest writes reaches the file.</param>
/// <param name="Path">The file, or a folder; null unless the kind is a file.</param>
internal sealed record MemoryBackend(MemoryBackendKind Kind, string Id, ulong Size, bool Share, string? Path)
{
    private const string Option = "-object";

    public static MemoryBackend Parse(string text)
    {
        var keys = new KeyValueList(Option, text, "qom-type");
        var type = keys.Take("qom-type");
        var kind = type switch
        {
            "memory-backend-ram" => MemoryBackendKind.Ram,
            "memory-backend-memfd" => MemoryBackendKind.Memfd,
            "memory-backend-file" => MemoryBackendKind.File,
            _ => throw new UsageException($"{Option}: '{type}' is not supported; memory-backend-ram, -memfd and -file are"),
        };
        var id = keys.Take("id") ?? throw new UsageException($"{Option} {type}: it needs an id=");
        var size = SizeOption.Parse(Option, keys.Take("size") ?? throw new UsageException($"{Option} {type}: it needs a size="), 1);
        var share = keys.TakeBool("share") ?? kind == MemoryBackendKind.Memfd;
        var path = kind == MemoryBackendKind.File ? keys.Take("mem-path") ?? throw new UsageException($"{Option} {type}: it needs a mem-path=") : null;
        keys.Finish();
        return new MemoryBackend(kind, id, size, share, path);
    }

    /// <summary>The memory itself, under its own name: that is what the migration stream calls it.</summary>
    /// <exception cref="IOException">The file can't be made or mapped.</exception>
    public RamBlock Create() => Path is not null
        ? new RamBlock(Id, MemoryMapping.OpenFile(Path, Size, Share)) { Address = MemoryMap.RamBase, IsSharedFile = Share }
        : Share ? RamBlock.CreateShared(Id, Size) : RamBlock.Create(Id, Size);
}
