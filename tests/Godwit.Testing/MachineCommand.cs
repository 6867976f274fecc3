namespace Godwit.Testing;

/// <summary>A command that runs QEMU's RISC-V board <c>virt</c>, told what to run in QEMU's own option spellings.</summary>
/// <param name="Name">As tests and tables call it.</param>
/// <param name="Program">The path of what is started.</param>
/// <param name="Arguments">What comes before a machine's own options.</param>
public sealed record MachineCommand(string Name, string Program, IReadOnlyList<string> Arguments)
{
    private const string LiveHarts = "rv64,h=false,sdtrig=false";

    /// <summary>QEMU 11.1, with the extensions that Godwit's board leaves out switched off.</summary>
    public static MachineCommand Qemu => new("qemu", Peers.Path("qemu-newest-system-riscv64"), ["-cpu", "rv64,h=false"]);

    public static MachineCommand Godwit => new("godwit", Repository.Path("godwit"), ["run"]);

    /// <summary>For machines that a guest moves between: every one has the same harts.</summary>
    /// <param name="name"><c>qemu</c>, <c>qemu-10.0</c> or <c>godwit</c>.</param>
    public static MachineCommand Live(string name) => name switch
    {
        "qemu" => new(name, Peers.Path("qemu-newest-system-riscv64"), ["-cpu", LiveHarts]),
        // The same triggers by their older name.
        "qemu-10.0" => new(name, Peers.Path("qemu-system-riscv64"), ["-cpu", "rv64,h=false,debug=false"]),
        _ => new(name, Repository.Path("godwit"), ["run", "-cpu", LiveHarts]),
    };

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
