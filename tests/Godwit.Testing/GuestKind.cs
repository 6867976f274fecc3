using System.Globalization;

namespace Godwit.Testing;

/// <summary>A line by which a guest says that it lives.</summary>
/// <param name="Seconds">The guest's own clock.</param>
public sealed record GuestBeat(long Number, long Errors, double Seconds);

/// <summary>A guest that checks its own memory, and the options that run it, the same for every machine.</summary>
/// <param name="Options"><c>{folder}</c> is the machine's own.</param>
/// <param name="Parse">A line's beat; null for another line.</param>
/// <param name="Patience">From one beat to the next few, and for a boot.</param>
/// <param name="ClockSlack">Seconds that the guest's clock may go on in a move.</param>
public sealed record GuestKind(string Name, IReadOnlyList<string> Options, Func<string, GuestBeat?> Parse, TimeSpan Patience, double ClockSlack)
{
    private const string Uuid = "7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11";

    /// <summary>The bare-metal guest, which rewrites its memory all the while and checks all of it.</summary>
    public static GuestKind Heartbeat(string options = "pages=1k rate=5k pattern=random") => new(
        "heartbeat",
        [.. Testing.Heartbeat.Machine(options), "-uuid", Uuid],
        l => Testing.Heartbeat.Parse(l) is { } b ? new GuestBeat(b.Beat, b.Errors, b.Time / 1e7) : null,
        TimeSpan.FromSeconds(90),
        10);

    /// <summary>Linux, whose user space checks checksums of its files at every beat, and sleeps between them.</summary>
    public static GuestKind Linux(int harts) => new(
        "Linux",
        [
            "-M", "virt", "-m", "512M", "-smp", $"{harts}", "-nodefaults", "-display", "none", "-serial", "file:{folder}/serial",
            "-kernel", Peers.Linux("riscv64", "vmlinuz"), "-initrd", Peers.Linux("riscv64", "initrd.gz"),
            "-append", "console=ttyS0 quiet loglevel=1 godwit.script=heartbeat",
        ],
        ParseLinux,
        TimeSpan.FromSeconds(240),
        30);

    private static GuestBeat? ParseLinux(string line)
    {
        if (!line.StartsWith("linux beat=", StringComparison.Ordinal))
            return null;
        var values = line.Split(' ').Skip(1).Select(w => w.Split('=')).ToDictionary(p => p[0], p => double.Parse(p[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        return new GuestBeat((long)values["beat"], (long)values["errors"], values["uptime"]);
    }
}
