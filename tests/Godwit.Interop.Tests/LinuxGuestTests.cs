using System.Globalization;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>
/// Debian's Linux, on machines of other architectures, through a file and on: QEMU → receive → QEMU. It checks checksums of its files
/// at every beat; the next beat follows the last, and it finds no error.
/// </summary>
public sealed class LinuxGuestTests
{
    private const string X86 = "qemu-system-x86_64";
    private const string NewX86 = "qemu-newest-system-x86_64";
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(120);

    public static TheoryData<string, string, string, string> Machines => new()
    {
        { X86, "pc", "x86_64", "" },
        { X86, "q35", "x86_64", "return-path,xbzrle" },
        { X86, "microvm", "x86_64", "" },
        { NewX86, "pc", "x86_64", "return-path" },
        { NewX86, "q35", "x86_64", "" },
        { NewX86, "microvm", "x86_64", "return-path" },
        { "qemu-system-aarch64", "virt", "aarch64", "return-path" },
        { "qemu-system-s390x", "s390-ccw-virtio", "s390x", "return-path,xbzrle" },
    };

    [Theory]
    [MemberData(nameof(Machines))]
    public async Task Linux_goes_through_a_file_into_another_QEMU(string qemu, string machine, string architecture, string capabilities)
    {
        using var folder = new TemporaryFolder();
        var options = Options(machine, architecture);
        var file = folder.File("guest.stream");
        long before;
        await using (var source = await QemuProcess.StartAsync(Peers.Path(qemu), options))
        {
            await source.WaitForLineAsync(l => Beat(l) >= 3, BootPatience);
            await source.Qmp.SetCapabilitiesAsync(capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries));
            await Capture.IntoFileAsync(source, "unix", folder, file);
            before = source.SerialLines.Max(Beat);
        }

        var verdict = JsonNode.Parse((await GodwitCommand.RunAsync("verify", file, "--json")).Output)!;
        Assert.True((bool)verdict["valid"]!, verdict.ToJsonString());
        await ContinueAsync(qemu, [.. options, "-incoming", "unix:{folder}/in"], before, file);
        await ContinueAsync(qemu, [.. options, "-incoming", $"file:{file}"], before, null);
    }

    private static async Task ContinueAsync(string qemu, string[] options, long before, string? send)
    {
        await using var destination = await QemuProcess.StartAsync(Peers.Path(qemu), options);
        if (send is not null)
        {
            var sent = await GodwitCommand.RunAsync("send", send, $"unix:{destination.Folder}/in", "--return-path");
            Assert.True(sent.ExitCode == 0, sent.Errors + destination.Errors);
        }

        await destination.WaitForLineAsync(l => Beat(l) >= before + 4, BootPatience);
        var beats = destination.SerialLines.Select(Beat).Where(b => b > 0).ToList();
        Assert.Equal(Enumerable.Range(0, beats.Count).Select(i => before + 1 + i), beats);
        Assert.DoesNotContain(destination.SerialLines, l => l.StartsWith("linux beat=", StringComparison.Ordinal) && !l.Contains(" errors=0 ", StringComparison.Ordinal));
    }

    private static long Beat(string line) =>
        line.StartsWith("linux beat=", StringComparison.Ordinal) && long.TryParse(line.Split(' ')[1]["beat=".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var beat) ? beat : 0;

    /// <summary>As guests/linux/README.md has them.</summary>
    private static string[] Options(string machine, string architecture)
    {
        string[] common =
        [
            "-M", machine, "-m", "128M", "-nodefaults", "-display", "none",
            "-kernel", Peers.Linux(architecture, "vmlinuz"), "-initrd", Peers.Linux(architecture, "initrd.gz"),
        ];
        return architecture switch
        {
            "s390x" => [.. common, "-chardev", "file,id=console,path={folder}/serial", "-device", "sclpconsole,chardev=console", "-append", "console=ttysclp0 quiet loglevel=1"],
            "aarch64" => [.. common, "-cpu", "cortex-a57", "-serial", "file:{folder}/serial", "-append", "console=ttyAMA0 quiet loglevel=1"],
            _ => [.. common, "-serial", "file:{folder}/serial", "-append", $"console=ttyS0 quiet loglevel=1{(machine == "microvm" ? " tsc_early_khz=2500000" : "")}"],
        };
    }
}
