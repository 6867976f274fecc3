using System.IO.Compression;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Virt;

/// <summary>Files that can't be loaded are refused with one line that says which, why and what to do.</summary>
public sealed class LoadErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static readonly Dictionary<string, (Func<byte[]> File, string Words)> Foreign = new(StringComparer.Ordinal)
    {
        ["empty"] = (() => [], "is empty"),
        ["gzip"] = (() => Gzip(Kernels.Image(5000)), "gunzip"),
        ["arm64"] = (() => With(new byte[4096], 56, "ARM\u0064"u8), "AArch64"),
        ["bzImage"] = (() => With(new byte[4096], 0x202, "HdrS"u8), "bzImage"),
        ["uImage"] = (() => With(new byte[4096], 0, [0x27, 0x05, 0x19, 0x56]), "uImage"),
        ["zboot"] = (() => With(With(new byte[4096], 0, "MZ"u8), 4, "zimg"u8), "zboot"),
        ["big-endian Image"] = (() => With(Kernels.Image(4096), 24, [1]), "big-endian"),
        ["x86 ELF"] = (() => With(Elf(), 18, [62, 0]), "x86-64"),
        ["32-bit ELF"] = (() => With(Elf(), 4, [1]), "32-bit"),
        ["big-endian ELF"] = (() => With(Elf(), 5, [2]), "big-endian"),
        ["cut ELF"] = (() => Elf()[..50], "truncated"),
        ["ELF without segments"] = (() => With(Elf(), 56, [0, 0]), "nothing to load"),
        ["ELF with headers behind its end"] = (() => With(Elf(), 32, [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "program headers"),
        ["ELF with a segment behind its end"] = (() => With(Elf(), 64 + 8, [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "segment 0"),
        ["ELF with more bytes than memory"] = (() => With(Elf(), 64 + 40, [1, 0]), "segment 0"),
        ["ELF with endless memory"] = (() => With(Elf(), 64 + 40, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "segment 0"),
        ["ELF for somewhere else"] = (() => Kernels.Elf(0x1_0000, (0x1_0000, new byte[100], 100)), "not all of that is in memory"),
        ["ELF that wants more memory"] = (() => Kernels.Elf(0x8000_0000, (0x8000_0000, new byte[100], 1 << 30)), "not all of that is in memory"),
        ["ELF over itself"] = (() => Kernels.Elf(0x8000_0000, (0x8000_0000, new byte[100], 100), (0x8000_0020, new byte[100], 100)), "overlaps"),
        ["Image that takes more memory"] = (() => Kernels.Image(4096, memory: 1 << 30), "give the machine more"),
        ["Image that takes all memory"] = (() => Kernels.Image(4096, memory: ulong.MaxValue), "give the machine more"),
        ["more than there is memory"] = (() => new byte[65 << 20], "give the machine more"),
        ["nearly all memory"] = (() => new byte[63 << 20], "no room for the device tree"),
    };

    public static TheoryData<string> Names => [.. Foreign.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_kernel_that_cannot_start_is_refused(string name)
    {
        var (file, words) = Foreign[name];
        var error = Refused(Request() with { Kernel = File(name, file()) });

        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        Assert.Equal("kernel '/nowhere/Image' does not exist", Refused(Request() with { Kernel = "/nowhere/Image" }));
        Assert.Equal("firmware '/nowhere/fw' does not exist", Refused(Request() with { Firmware = "/nowhere/fw" }));
        Assert.Equal("device tree '/nowhere/dtb' does not exist", Refused(Request() with { DeviceTree = "/nowhere/dtb" }));
        Assert.Equal($"kernel '{_folder.Path}' is a folder", Refused(Request() with { Kernel = _folder.Path }));
        var kernel = File("Image", Kernels.Image(4096));
        Assert.Equal("initrd '/nowhere/initrd' does not exist", Refused(Request() with { Kernel = kernel, Initrd = "/nowhere/initrd" }));
    }

    [Fact]
    public void An_initrd_without_room_is_refused()
    {
        var kernel = File("Image", Kernels.Image(4096));
        Assert.Contains("give the machine more", Refused(Request() with { Kernel = kernel, Initrd = File("initrd", new byte[40 << 20]) }), StringComparison.Ordinal);
        var large = File("large", Kernels.Image(4096, memory: 33 << 20));
        Assert.Contains("inside what the kernel takes", Refused(Request() with { Kernel = large, Initrd = File("initrd", new byte[100]) }), StringComparison.Ordinal);
        var late = File("late", Kernels.Elf(0x83f0_0000, (0x83f0_0000, new byte[100], 100)));
        Assert.Contains("behind the memory's end", Refused(Request() with { Kernel = late, Initrd = File("initrd", new byte[100]) }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_over_its_firmware_is_refused()
    {
        var error = Refused(Request() with
        {
            Firmware = File("firmware", new byte[5000]),
            Kernel = File("elf", Kernels.Elf(0x8000_1000, (0x8000_1000, new byte[100], 100))),
        });

        Assert.Contains("overlaps firmware", error, StringComparison.Ordinal);
        Assert.Contains("-bios none", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_tree_that_is_none_is_refused() =>
        Assert.Contains("d00dfeed", Refused(Request() with { DeviceTree = File("dtb", new byte[100]) }), StringComparison.Ordinal);

    [Fact]
    public void Firmware_is_looked_for_in_the_folders_that_are_named()
    {
        var own = File("opensbi-riscv64-generic-fw_dynamic.bin", [1]);

        Assert.Equal(own, FirmwareSearch.Find("default", [_folder.Path]));
        Assert.Equal(own, FirmwareSearch.Find(Path.GetFileName(own), [_folder.Path]));
        Assert.Null(FirmwareSearch.Find("none", [_folder.Path]));
    }

    public void Dispose() => _folder.Dispose();

    private static LoadRequest Request() => new(CpuModel.Default, 1, 64 << 20) { Firmware = "none" };

    private static string Refused(LoadRequest request)
    {
        var message = Assert.Throws<LoadException>(() => BoardLoader.Load(request)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private string File(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(_folder.File(name), bytes);
        return _folder.File(name);
    }

    private static byte[] Elf() => Kernels.Elf(0x8000_0000, (0x8000_0000, new byte[1000], 1000));

    private static byte[] With(byte[] file, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(file.AsSpan(at));
        return file;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }
}
