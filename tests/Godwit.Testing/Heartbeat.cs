using System.Globalization;
using Godwit.Monitor;

namespace Godwit.Testing;

/// <summary>A line of the heartbeat guest.</summary>
/// <param name="Time">In ticks of 100 ns.</param>
/// <param name="Turn">The longest that a turn of its loop took since the beat before, by <paramref name="Time"/>'s clock; microseconds.</param>
/// <param name="Gap">The same by the board's calendar clock, which goes on while the machine stands.</param>
public sealed record Heartbeat(long Beat, long Writes, long Checks, long Errors, long Time, long Turn, long Gap)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Options of a QEMU that runs the guest with its console in the machine's folder.</summary>
    public static string[] Machine(string options, string memory = "64M") =>
    [
        "-M", "virt", "-bios", "none", "-m", memory, "-nodefaults", "-display", "none", "-serial", "file:{folder}/serial",
        "-kernel", Repository.Path("guests", "heartbeat", "heartbeat.elf"), "-append", options,
    ];

    public static Heartbeat? Parse(string line)
    {
        if (!line.StartsWith("heartbeat beat=", StringComparison.Ordinal))
            return null;
        var values = line.Split(' ').Skip(1).Select(w => w.Split('=')).ToDictionary(p => p[0], p => long.Parse(p[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        return new Heartbeat(values["beat"], values["writes"], values["checks"], values["errors"], values["time"], values.GetValueOrDefault("turn"), values.GetValueOrDefault("gap"));
    }

    /// <param name="begun">What the machine before printed of a line that this one ended.</param>
    public static List<Heartbeat> All(QemuProcess machine, string begun = "") =>
        (begun + machine.SerialText).Split('\n')[..^1].Select(Parse).OfType<Heartbeat>().ToList();

    public static Task WaitForBeatAsync(QemuProcess machine, long beat) => machine.WaitForLineAsync(l => Parse(l)?.Beat >= beat, Patience);
}
