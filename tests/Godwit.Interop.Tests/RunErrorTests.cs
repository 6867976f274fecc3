using System.Buffers.Binary;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>What <c>godwit run</c> can't run: one line that says why, and nothing else.</summary>
public sealed class RunErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>{name} in the options is a file of that name from <see cref="Make"/>.</summary>
    public static TheoryData<string, string> Refused => new()
    {
        { "-kernel /nowhere/Image", "kernel '/nowhere/Image' does not exist" },
        { "-kernel {folder}", "is a folder" },
        { "-kernel {empty}", "is empty" },
        { "-kernel {x86-elf}", "is an ELF file for x86-64" },
        { "-kernel {elf32}", "is a 32-bit ELF file" },
        { "-kernel {bzImage}", "is an x86 kernel (bzImage)" },
        { "-kernel {arm64}", "is an AArch64 kernel" },
        { "-kernel {gzip}", "unpack it with gunzip" },
        { "-m 64M -kernel {65M}", "more memory with -m" },
        { "-m 64M -kernel {raw} -initrd {40M}", "more memory with -m" },
        { "-kernel {raw} -initrd /nowhere/initrd", "initrd '/nowhere/initrd' does not exist" },
        { "-kernel {raw} -dtb {text}", "d00dfeed" },
        { "-kernel {raw} -dtb /nowhere/dtb", "device tree '/nowhere/dtb' does not exist" },
        { "-bios /nowhere/firmware", "firmware '/nowhere/firmware' does not exist" },
        { "-bios default -kernel {heartbeat}", "overlaps firmware" },
        { "-append quiet", "-append: it goes with -kernel" },
        { "-m 0", "-m: '0'" },
        { "-m lots", "-m: 'lots'" },
        { "-smp 9", "from 1 to 8" },
        { "-cpu pentium", "-cpu pentium: " },
        { "-cpu rv64,warp=on", "'warp' is not known" },
        { "-M pc", "type=pc is not supported" },
        { "-object memory-backend-file,id=m,size=64M", "needs a mem-path=" },
        { "-object memory-backend-ram,id=m,size=64M -M virt,memory-backend=n", "no -object with that id" },
        { "-object memory-backend-ram,id=m,size=64M -M virt,memory-backend=m -m 65M", "differ from" },
        { "-serial pty", "-serial: 'pty'" },
        { "-hda disk.img", "-hda is not supported" },
        { "-nographics", "-nographics is not supported" },
        { "disk.img", "'disk.img' is no option" },
        { "-kernel", "-kernel needs an argument" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_machine_that_cannot_be_made_is_refused_with_one_line(string options, string words)
    {
        AssertOneLine(await RunAsync("-bios none " + options), 2, words);
    }

    public static TheoryData<string, string> Failing => new()
    {
        { "-object memory-backend-file,id=m,size=64M,mem-path=/nowhere/ram -M virt,memory-backend=m", "open /nowhere/ram: No such file or directory" },
        { "-serial file:/nowhere/serial", "/nowhere/serial" },
        { "-serial unix:/nowhere/socket,server=on,wait=off", "unix:/nowhere/socket: " },
        { "-serial unix:/nowhere/socket", "unix:/nowhere/socket: " },
        { "-dumpdtb /nowhere/dtb", "/nowhere/dtb" },
        { "-dump-vmstate /nowhere/json", "/nowhere/json" },
        { "-serial null -pidfile /nowhere/pid", "/nowhere/pid" },
    };

    [Theory]
    [MemberData(nameof(Failing))]
    public async Task What_the_host_refuses_is_told_in_one_line(string options, string words) => AssertOneLine(await RunAsync("-bios none " + options), 1, words);

    public void Dispose() => _folder.Dispose();

    private static void AssertOneLine(CommandResult result, int exitCode, string words)
    {
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        var line = Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("godwit: ", line, StringComparison.Ordinal);
        Assert.Contains(words, line, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(string options) => GodwitCommand.RunAsync(["run", .. options.Split(' ').Select(Replace)]);

    private string Replace(string word)
    {
        if (word == "{folder}")
            return _folder.Path;
        if (!word.StartsWith('{'))
            return word;
        var name = word[1..^1];
        if (name == "heartbeat")
            return Repository.Path("guests", "heartbeat", "heartbeat.elf");
        File.WriteAllBytes(_folder.File(name), Make(name));
        return _folder.File(name);
    }

    private static byte[] Make(string name)
    {
        var bytes = new byte[name switch { "empty" => 0, "65M" => 65 << 20, "40M" => 40 << 20, _ => 4096 }];
        switch (name)
        {
            case "x86-elf":
                Elf(bytes, bits: 2, machine: 62);
                break;
            case "elf32":
                Elf(bytes, bits: 1, machine: 243);
                break;
            case "bzImage":
                "HdrS"u8.CopyTo(bytes.AsSpan(0x202));
                break;
            case "arm64":
                "ARM\u0064"u8.CopyTo(bytes.AsSpan(56));
                break;
            case "gzip":
                ((ReadOnlySpan<byte>)[0x1f, 0x8b, 8]).CopyTo(bytes);
                break;
            case "text":
                bytes.AsSpan().Fill((byte)'x');
                break;
        }

        return bytes;
    }

    private static void Elf(byte[] file, byte bits, ushort machine)
    {
        "\u007fELF"u8.CopyTo(file);
        (file[4], file[5], file[6]) = (bits, 1, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), machine);
    }
}
