using System.Text;

namespace Godwit.Cli.Run;

/// <param name="Names">Without dashes; the first is the one that help shows first.</param>
/// <param name="Argument">What follows it, for people; null if nothing does.</param>
internal sealed record RunOption(string[] Names, string? Argument, string Description, Action<RunOptionsBuilder, string> Apply);

/// <summary>The options of <c>godwit run</c>: QEMU's own spellings, for what the machine can do. Anything else is an error.</summary>
internal static class RunOptionTable
{
    private const int DescriptionColumn = 34;

    public static IReadOnlyList<RunOption> All { get; } =
    [
        new(["M", "machine"], "virt[,KEY=VALUE…]", "the board; keys: memory-backend=ID, dumpdtb=FILE, and aia=none, aclint=off, acpi=auto|off, iommu-sys=off, usb=off, which it is", (b, v) => b.Machine(v)),
        new(["cpu"], "rv64[,EXTENSION=on|off…]", "the harts, and extensions they go without", (b, v) => b.Cpu(v)),
        new(["smp"], "[cpus=]N", "harts, from 1 to 8", (b, v) => b.Smp(v)),
        new(["m"], "[size=]SIZE", "memory, such as 512M or 4G; without a suffix in MiB (default: 128M)", (b, v) => b.Memory(v)),
        new(["object"], "TYPE,id=ID,KEY=VALUE…", "memory for -M memory-backend=ID: memory-backend-ram, -memfd or -file, with size=SIZE, share=on|off and mem-path=PATH; what TLS uses: tls-creds-x509 (dir=FOLDER, endpoint=client|server), secret, authz-simple, authz-list, authz-list-file", (b, v) => b.Object(v)),
        new(["bios"], "FILE|default|none", "firmware: ELF or raw (default: OpenSBI)", (b, v) => b.Firmware = v),
        new(["L"], "FOLDER", "where firmware is looked for first; may come several times", (b, v) => b.DataFolders.Add(v)),
        new(["kernel"], "FILE", "kernel: Linux Image, ELF, or raw", (b, v) => b.Kernel = v),
        new(["initrd"], "FILE", "initial RAM disk", (b, v) => b.Initrd = v),
        new(["append"], "TEXT", "the kernel's command line", (b, v) => b.CommandLine = v),
        new(["dtb"], "FILE", "device tree to use in place of the board's own", (b, v) => b.DeviceTree = v),
        new(["dumpdtb"], "FILE", "write the device tree there and end", (b, v) => b.DumpDeviceTree = v),
        new(["dump-vmstate"], "FILE", "write what the devices' saved state consists of there, as JSON, and end", (b, v) => b.DumpVmState = b.DumpVmState is null ? v : throw new UsageException("only one '-dump-vmstate' option may be given")),
        new(["serial"], "BACKEND", "serial port: stdio, mon:stdio, null, none, file:PATH or unix:PATH[,server=on][,wait=off]", (b, v) => b.Serial(v)),
        new(["nographic"], null, "serial port on this terminal; Ctrl-A X ends the machine", (b, _) => b.NoGraphic = true),
        new(["display"], "none", "there is no display", (b, v) => b.OnlyNone("-display", v)),
        new(["monitor"], "none", "no human monitor but the one behind Ctrl-A c", (b, v) => b.OnlyNone("-monitor", v)),
        new(["S"], null, "wait to be told to start", (b, _) => b.StartPaused = true),
        new(["no-reboot"], null, "end instead of a reset", (b, _) => b.NoReboot = true),
        new(["no-shutdown"], null, "stop instead of ending when the guest powers off", (b, _) => b.NoShutdown = true),
        new(["nodefaults"], null, "no devices but those that are asked for", (b, _) => b.NoDefaults = true),
        new(["no-user-config"], null, "accepted: there are no configuration files", (_, _) => { }),
        new(["rtc"], "base=utc", "the guest's clock has universal time", (_, v) => RunOptionsBuilder.Rtc(v)),
        new(["accel"], "tcg[,…]", "accepted: harts are always software", (_, v) => RunOptionsBuilder.Accelerator(v)),
        new(["qmp"], "ADDRESS,server=on[,wait=off]", "a QMP monitor on unix:PATH or tcp:HOST:PORT; may come several times", (b, v) => b.Qmp.Add(QmpOption.Parse(v))),
        new(["incoming"], "URI|defer", "wait for a machine that is migrated here: tcp:HOST:PORT, unix:PATH, exec:COMMAND, fd:N, file:PATH; defer: for migrate-incoming", (b, v) => b.SetIncoming(v)),
        new(["add-fd"], "fd=N,set=N[,opaque=TEXT]", "put an open file that this process was given into a set: file:/dev/fdset/N stands for it; may come several times", (_, v) => RunOptionsBuilder.AddDescriptor(v)),
        new(["global"], "migration.KEY=VALUE", "tls-creds, tls-hostname, tls-authz: the parameters; multifd-flush-after-each-section=on|off: whether an outgoing migration's multifd channels meet as QEMU before 8.1 expects it", (b, v) => b.Global(v)),
        new(["uuid"], "UUID", "the machine's", (b, v) => b.SetUuid(v)),
        new(["name"], "NAME", "the machine's name", (b, v) => b.SetName(v)),
        new(["pidfile"], "FILE", "write this process's number there", (b, v) => b.PidFile = v),
        new(["h", "help"], null, "this list", (b, _) => b.ShowHelp = true),
    ];

    /// <param name="word">With one dash or two, as QEMU takes them.</param>
    /// <exception cref="UsageException">It is no option, or none that is known.</exception>
    public static RunOption Find(string word)
    {
        if (word.Length < 2 || word[0] != '-')
            throw new UsageException($"'{word}' is no option: a disk or kernel is given by its option's name");
        var name = word.StartsWith("--", StringComparison.Ordinal) ? word[2..] : word[1..];
        return All.FirstOrDefault(o => o.Names.Contains(name, StringComparer.Ordinal)) ?? throw new UsageException($"{word} is not supported: see 'godwit run --help'");
    }

    /// <summary>A line or two an option.</summary>
    public static string Help()
    {
        var text = new StringBuilder("Usage: godwit run -M virt [options]\n\n");
        foreach (var option in All)
        {
            var left = "  " + string.Join('|', option.Names.Select(n => "-" + n)) + (option.Argument is { } argument ? " " + argument : "");
            text.Append(left);
            if (left.Length >= DescriptionColumn)
                text.Append('\n').Append(' ', DescriptionColumn);
            else
                text.Append(' ', DescriptionColumn - left.Length);
            text.Append(option.Description).Append('\n');
        }

        return text.ToString();
    }
}
