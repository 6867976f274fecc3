namespace Godwit.Testing;

/// <summary>A command that runs QEMU's RISC-V board <c>virt</c>, told what to run in QEMU's own option spellings.</summary>
/// <param name="Name">As tests and tables call it.</param>
/// <param name="Program">The path of what is started.</param>
/// <param name="Arguments">What comes before a machine's own options.</param>
public sealed record MachineCommand(string Name, string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>QEMU 11.1, with the extensions that Godwit's board leaves out switched off.</summary>
    public static MachineCommand Qemu => new("qemu", Peers.Path("qemu-newest-system-riscv64"), ["-cpu", "rv64,h=false"]);

    public static MachineCommand Godwit => new("godwit", Repository.Path("godwit"), ["run"]);

    /// <param name="name"><c>qemu</c>, <c>godwit</c>, or the path of another QEMU.</param>
    public static MachineCommand Named(string name) => name switch
    {
        "qemu" => Qemu,
        "godwit" => Godwit,
        _ => new(Path.GetFileName(name), name, ["-cpu", "rv64,h=false"]),
    };

    /// <summary>Options that boot the riscv64 Linux guest, its console on standard input and output.</summary>
    /// <param name="append">More words for the kernel's command line.</param>
    public static string[] Linux(int harts, string append = "") =>
    [
        "-M", "virt", "-m", "512M", "-smp", $"{harts}", "-kernel", Peers.Linux("riscv64", "vmlinuz"), "-initrd", Peers.Linux("riscv64", "initrd.gz"),
        "-append", $"console=ttyS0 {append}".TrimEnd(), "-nographic", "-no-reboot",
    ];

    /// <summary>Options that run the guest of guests/loops.</summary>
    public static string[] Loops(string options) =>
    [
        "-M", "virt", "-m", "64M", "-smp", "1", "-bios", "none", "-kernel", Repository.Path("guests", "loops", "loops.elf"),
        "-append", options, "-nographic", "-no-reboot",
    ];
}
