using System.Collections.Concurrent;
using System.Globalization;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>
/// Debian's riscv64 Linux boots to a shell, on QEMU and on Godwit: it takes commands typed at its prompt, one of them a script of commands
/// whose results are known, and powers off. Each machine boots once; what it said is looked at by more than one test.
/// </summary>
public sealed class LinuxBootTests
{
    private const string Silent = "quiet loglevel=1";
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan ScriptPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TypingPatience = TimeSpan.FromSeconds(60);

    private static readonly string[] Steps =
    [
        "uname", "integers", "float", "float_apart", "date", "cpuinfo", "interrupts", "sleeps", "processes", "signals", "pipes", "text", "digests",
        "packed", "files", "dd", "forks", "parallel", "free",
    ];

    private static readonly ConcurrentDictionary<(string Machine, int Harts), Lazy<Task<string[]>>> Scripts = new();

    [Theory]
    [InlineData("qemu", 1)]
    [InlineData("godwit", 1)]
    [InlineData("godwit", 4)]
    public async Task Linux_takes_commands_runs_a_script_and_powers_off(string machine, int harts)
    {
        var lines = await ScriptAsync(machine, harts);

        Assert.Equal(Steps.Select(s => $"STEP {s} ok"), lines.Where(l => l.StartsWith("STEP ", StringComparison.Ordinal)));
        Assert.Contains("SCRIPT ok", lines);
        Assert.Contains($"NOTE parallel {harts} workers", lines);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Commands_print_the_same_on_QEMU_and_on_Godwit(int harts)
    {
        var theirs = Outputs(await ScriptAsync("qemu", 1));
        var ours = Outputs(await ScriptAsync("godwit", harts));

        Assert.NotEmpty(theirs);
        Assert.Equal(theirs, ours);
    }

    private static Task<string[]> ScriptAsync(string machine, int harts) =>
        Scripts.GetOrAdd((machine, harts), key => new Lazy<Task<string[]>>(() => BootAsync(key.Machine, key.Harts))).Value;

    /// <returns>What the script said.</returns>
    private static async Task<string[]> BootAsync(string machine, int harts)
    {
        await using var guest = GuestConsole.Start(MachineCommand.Named(machine), MachineCommand.Linux(harts, Silent));
        await guest.WaitForAsync("godwit guest ready\n", BootPatience);
        await guest.WaitForAsync("\n# ", TypingPatience);
        await TypeCommandsAsync(guest, harts);
        await InterruptAsync(guest);
        var script = await guest.CommandAsync("sh /commands", ScriptPatience);
        await guest.TypeAsync("poweroff -f");
        Assert.Equal(0, await guest.WaitForExitAsync(TypingPatience));
        return script.Split('\n');
    }

    private static async Task TypeCommandsAsync(GuestConsole guest, int harts)
    {
        Assert.Equal("42", await guest.CommandAsync("echo $((6*7))", TypingPatience));
        Assert.Equal("66", await guest.CommandAsync("seq 1 100 | sort -rn | sed -n 35p", TypingPatience));
        Assert.Equal($"{harts}", await guest.CommandAsync("nproc", TypingPatience));
        Assert.Equal("", await guest.CommandAsync("sleep 1000 &", TypingPatience));
        Assert.Matches(@"^\[1\]\+  Running +sleep 1000$", await guest.CommandAsync("jobs", TypingPatience));
        // The shell tells of its end now or with a later prompt.
        await guest.CommandAsync("kill %1", TypingPatience);

        var before = Interrupts(await guest.CommandAsync("cat /proc/interrupts", TypingPatience));
        await guest.CommandAsync("sleep 1", TypingPatience);
        var after = Interrupts(await guest.CommandAsync("cat /proc/interrupts", TypingPatience));
        Assert.True(after["riscv-timer"] > before["riscv-timer"], $"timer interrupts stay at {before["riscv-timer"]}");
        Assert.True(after["ttyS0"] > before["ttyS0"], $"serial interrupts stay at {before["ttyS0"]}");
    }

    /// <summary>Ctrl-C ends what the shell runs.</summary>
    private static async Task InterruptAsync(GuestConsole guest)
    {
        // The words it prints differ from those that were typed, so that its output is not mistaken for the echo.
        // They come from the process that is to end, not from the shell before it starts one.
        await guest.TypeAsync("sh -c 'echo run$((1+1)); exec sleep 100000'");
        await guest.WaitForAsync("run2\n", TypingPatience);
        await guest.TypeAsync("\u0003");
        await guest.WaitForAsync("# ", TypingPatience);
        await guest.TypeAsync("echo code $?");
        await guest.WaitForAsync("code 130\n", TypingPatience);
        await guest.WaitForAsync("# ", TypingPatience);
    }

    private static List<string> Outputs(string[] lines) => [.. lines.Where(l => l.StartsWith("OUT ", StringComparison.Ordinal))];

    /// <summary>Sums over the harts by the last word of the line.</summary>
    private static Dictionary<string, long> Interrupts(string table)
    {
        var sums = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var words in table.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 2))
        {
            sums[words[^1]] = words.Skip(1).Select(w => long.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : -1)
                .TakeWhile(c => c >= 0).Sum();
        }

        return sums;
    }
}
