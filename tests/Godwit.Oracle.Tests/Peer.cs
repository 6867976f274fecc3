using System.Diagnostics;
using Godwit.Testing;

namespace Godwit.Oracle.Tests;

/// <summary>A program that takes QEMU's options and runs the guest.</summary>
/// <param name="First">Arguments before QEMU's own.</param>
internal sealed record Peer(string Name, string Program, params string[] First)
{
    /// <summary>Guest memory in bytes.</summary>
    public const int MemorySize = 64 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What is compared with.</summary>
    public static Peer Reference { get; } = new("QEMU 11.1", Peers.Path("qemu-newest-system-riscv64"));

    /// <summary>What is tested: GODWIT_ORACLE_CANDIDATE, a program and perhaps its first arguments; else the command.</summary>
    public static Peer Candidate { get; } = FromEnvironment();

    /// <summary>Runs the guest until it powers the machine off.</summary>
    /// <param name="kernel">An ELF that starts in M-mode.</param>
    /// <param name="processor">QEMU's <c>-cpu</c>.</param>
    /// <returns>All of guest memory, and what came out of the serial port.</returns>
    public (byte[] Memory, string Serial) Run(string kernel, string processor = "rv64,h=false,sdtrig=false", int harts = 1)
    {
        using var folder = new TemporaryFolder();
        string[] arguments =
        [
            .. First, "-M", "virt", .. Processor(processor), "-smp", $"{harts}", "-bios", "none", "-m", "64M", "-nodefaults", "-display", "none", "-serial", $"file:{folder.File("serial")}",
            "-object", $"memory-backend-file,id=ram,size=64M,mem-path={folder.File("ram")},share=on", "-machine", "memory-backend=ram", "-kernel", kernel,
        ];
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw new TimeoutException($"{Name} did not end; serial port: {Tail(folder.File("serial"))}; standard error: {errors.Result}");
        }

        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{Name} ended with {process.ExitCode}: {errors.Result}; serial port: {Tail(folder.File("serial"))}");
        return (File.ReadAllBytes(folder.File("ram")), File.ReadAllText(folder.File("serial")));
    }

    // The command's processor has no hypervisor extension that could be switched off.
    private string[] Processor(string processor) => Path.GetFileName(Program).StartsWith("qemu", StringComparison.Ordinal) ? ["-cpu", processor] : [];

    private static string Tail(string path)
    {
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        return text[Math.Max(0, text.Length - 500)..];
    }

    private static Peer FromEnvironment()
    {
        var words = (Environment.GetEnvironmentVariable("GODWIT_ORACLE_CANDIDATE") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 ? new(words[0], words[0], words[1..]) : new("godwit", Repository.Path("godwit"), "run");
    }
}
