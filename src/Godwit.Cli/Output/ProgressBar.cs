using Spectre.Console;

namespace Godwit.Cli.Output;

/// <summary>Shows a long piece of work on standard error while it runs; where that is no terminal, nothing.</summary>
internal static class ProgressBar
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs <paramref name="work"/> on a thread of its own and shows how far it is.</summary>
    /// <param name="sample">Done, total (0 while it isn't known) and what else there is to say.</param>
    public static T Run<T>(string title, Func<T> work, Func<(double Done, double Total, string Text)> sample)
    {
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!Terminal.ErrorIsTerminal)
            return task.GetAwaiter().GetResult();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress()
            .AutoClear(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context =>
            {
                var bar = context.AddTask(Markup.Escape(title));
                while (true)
                {
                    var ended = ((IAsyncResult)task).AsyncWaitHandle.WaitOne(Interval);
                    var (done, total, text) = sample();
                    bar.MaxValue = Math.Max(1, total);
                    bar.IsIndeterminate = total <= 0;
                    bar.Value = Math.Min(done, bar.MaxValue);
                    bar.Description = Markup.Escape($"{title}  {text}");
                    if (ended)
                        break;
                }
            });
        return task.GetAwaiter().GetResult();
    }
}
