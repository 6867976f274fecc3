namespace Godwit.Cli.Output;

/// <summary>Where words go: results to standard output, progress and errors to standard error.</summary>
internal static class Terminal
{
    /// <summary>Whether people see the results, in colour.</summary>
    public static bool OutputIsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>Whether people see progress.</summary>
    public static bool ErrorIsTerminal => !Console.IsErrorRedirected;

    public static void Error(string message) => Console.Error.WriteLine($"godwit: {message}");

    /// <summary>A line for people who watch; not part of the result.</summary>
    public static void Note(string message) => Console.Error.WriteLine(message);

    /// <summary>Cancels at Ctrl-C and SIGTERM, and lets the command end by itself.</summary>
    public static CancellationTokenSource CancelOnSignal()
    {
        var source = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            source.Cancel();
        };
        return source;
    }
}
