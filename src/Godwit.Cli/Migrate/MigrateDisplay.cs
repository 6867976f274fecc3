using System.Globalization;
using Godwit.Cli.Output;
using Spectre.Console;

namespace Godwit.Cli.Migrate;

/// <summary>A migration while it runs, on standard error: three lines that stay in place on a terminal, elsewhere a line where the verdict changes.</summary>
internal sealed class MigrateDisplay
{
    private const int BarWidth = 40;

    private ConvergenceKind _lastKind;
    private LiveDisplayContext? _live;
    private IAnsiConsole? _console;

    /// <summary>Does <paramref name="work"/> with the display on.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        if (!Terminal.ErrorIsTerminal)
            return await work();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        _console = console;
        return await console.Live(new Text("")).AutoClear(true).StartAsync(async context =>
        {
            _live = context;
            return await work();
        });
    }

    public void Show(MigrationSample now, Verdict verdict)
    {
        if (_live is not null)
        {
            var share = now.Total > 0 ? Math.Clamp(1 - ((double)now.Remaining / now.Total), 0, 1) : 0;
            var full = (int)(share * BarWidth);
            _live.UpdateTarget(new Rows(
                new Markup($"[deepskyblue1]{new string('━', full)}[/][grey]{new string('━', BarWidth - full)}[/] {Markup.Escape(now.Status)}, round {now.Round}, {Units.Time(now.At)}"),
                new Text(Figures(now)),
                new Markup(verdict.Kind == ConvergenceKind.DoesNotConverge ? $"[yellow]{Markup.Escape(verdict.Text)}[/]" : Markup.Escape(verdict.Text))));
        }
        else if (verdict.Kind != _lastKind && verdict.Kind != ConvergenceKind.Unknown)
        {
            _lastKind = verdict.Kind;
            Terminal.Note($"round {now.Round}, {Figures(now)}: {verdict.Text}");
        }
    }

    /// <summary>A line that isn't to be overwritten.</summary>
    public void Note(string message)
    {
        if (_live is null)
            Terminal.Note(message);
        else
            _console!.WriteLine(message);
    }

    private static string Figures(MigrationSample now) => string.Join(
        ", ",
        $"{Units.Bytes(now.Remaining)} left",
        $"{Units.Bytes(now.Mbps * 1e6 / 8)}/s",
        now.DirtyRate > 0 ? $"dirty {Units.Bytes((double)now.DirtyRate * now.PageSize)}/s" : "dirty rate unknown yet",
        now.ExpectedDowntime is { } downtime ? $"downtime {downtime.ToString(CultureInfo.InvariantCulture)} ms expected" : "no downtime expected yet");
}
