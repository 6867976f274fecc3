using System.Globalization;
using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary>
/// How fast guests run: loops of a known number of instructions, by the guest's own clock, and the boot of a Linux until its shell is
/// ready. One hart, and one thread of QEMU's translator.
/// </summary>
internal static class MachineBench
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    public static async Task RunAsync(int rounds)
    {
        var ours = Contender("GODWIT_BENCH_OURS", "godwit");
        var theirs = Contender("GODWIT_BENCH_THEIRS", "qemu");
        var speeds = new Table($"million instructions a second, {rounds} rounds: median (min to max)", ours.Name, theirs.Name, higherIsBetter: true);
        var boots = new Table($"seconds to a shell, {rounds} rounds: median (min to max)", ours.Name, theirs.Name, higherIsBetter: false);
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var paging in new[] { "off", "on" })
            {
                var mine = await LoopsAsync(ours, paging);
                var other = await LoopsAsync(theirs, paging);
                foreach (var (name, (speed, checksum)) in mine)
                {
                    if (other[name].Checksum != checksum)
                        throw new InvalidDataException($"{name}: {ours.Name} computes {checksum}, {theirs.Name} {other[name].Checksum}");
                    speeds.Add(name, round, speed, other[name].Speed);
                }
            }

            boots.Add("Linux, 1 hart", round, await BootAsync(ours), await BootAsync(theirs));
            Console.WriteLine(round == 0 ? "  warmed up" : $"  round {round} done");
        }

        speeds.Print();
        boots.Print();
    }

    private static MachineCommand Contender(string variable, string name)
    {
        var command = MachineCommand.Named(Environment.GetEnvironmentVariable(variable) is { Length: > 0 } other ? other : name);
        return command.Name == "godwit" ? command : command with { Arguments = [.. command.Arguments, "-accel", "tcg,thread=single"] };
    }

    private static async Task<Dictionary<string, (double Speed, string Checksum)>> LoopsAsync(MachineCommand command, string paging)
    {
        await using var guest = GuestConsole.Start(command, MachineCommand.Loops($"paging={paging}"));
        if (await guest.WaitForExitAsync(Patience) is not 0 and var code)
            throw new IOException($"{command.Name}: exit code {code}: {guest.Output}");
        var found = new Dictionary<string, (double, string)>(StringComparer.Ordinal);
        foreach (var words in guest.Lines.Where(l => l.StartsWith("loops ", StringComparison.Ordinal)).Select(l => l.Split(' ')))
        {
            var fields = words.Skip(2).Select(w => w.Split('=')).ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);
            // Ticks are of 10 MHz.
            found[$"{words[1]}{(paging == "on" ? ", paged" : "")}"] = (10 * Number(fields["instructions"]) / Number(fields["ticks"]), fields["checksum"]);
        }

        return found;
    }

    private static async Task<double> BootAsync(MachineCommand command)
    {
        await using var guest = GuestConsole.Start(command, MachineCommand.Linux(1, "quiet loglevel=1"));
        await guest.WaitForAsync("godwit guest ready\n", Patience);
        return guest.Elapsed.TotalSeconds;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
