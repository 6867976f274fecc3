using Godwit.Monitor;

namespace Godwit.Cli.Demo;

/// <summary>What a guest has said, on the machine it left and on the one it came to. A line may begin there and end here.</summary>
internal sealed class MovedGuest
{
    private MovedGuest(List<string> lines, int firstAfter, bool broken)
    {
        Lines = lines;
        FirstAfter = firstAfter;
        Broken = broken;
    }

    /// <summary>Whole lines.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>The index of the first line that ended on the second machine.</summary>
    public int FirstAfter { get; }

    /// <summary>Whether that line began on the first one.</summary>
    public bool Broken { get; }

    public IEnumerable<Heartbeat> Before => Beats(Lines.Take(FirstAfter));

    public IEnumerable<Heartbeat> After => Beats(Lines.Skip(FirstAfter));

    /// <summary>How long the guest stood still between the machines, as it noticed: told by the first beat that began on the second one.</summary>
    public TimeSpan Stood => TimeSpan.FromMicroseconds(Beats(Lines.Skip(FirstAfter + (Broken ? 1 : 0))).First().Gap);

    public static MovedGuest Read(QemuProcess source, QemuProcess? destination)
    {
        var past = source.SerialText;
        var present = destination?.SerialText ?? "";
        return new MovedGuest([.. (past + present).Split('\n')[..^1]], past.Count(c => c == '\n'), past.Length > 0 && past[^1] != '\n');
    }

    /// <returns>What shows that the guest did not simply go on; null where it did.</returns>
    public string? Problem()
    {
        var beats = Beats(Lines).ToList();
        for (var i = 1; i < beats.Count; i++)
        {
            if (beats[i].Beat != beats[i - 1].Beat + 1)
                return $"after beat {beats[i - 1].Beat} came beat {beats[i].Beat}";
            if (beats[i].Time <= beats[i - 1].Time)
                return $"the guest's clock went back at beat {beats[i].Beat}";
        }

        return beats[^1].Errors > 0 ? $"the guest found {beats[^1].Errors} errors in its memory" : null;
    }

    private static IEnumerable<Heartbeat> Beats(IEnumerable<string> lines) => lines.Select(Heartbeat.Parse).OfType<Heartbeat>();
}
