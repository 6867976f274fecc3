using System.Runtime.InteropServices;

namespace Godwit.Cli.Output;

/// <summary>Where words go: results to standard output, progress and errors to standard error.</summary>
internal static class Terminal
{
    private static readonly List<PosixSignalRegistration> Registrations = [];

    /// <summary>Whether people see the results, in colour.</summary>
    public static bool OutputIsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>Whether people see progress.</summary>
    public static bool ErrorIsTerminal => !Console.IsErrorRedirected;

    public static void Error(string message) => Console.Error.WriteLine($"godwit: {Plain(message)}");

    /// <summary>A line for people who watch; not part of the result.</summary>
    public static void Note(string message) => Console.Error.WriteLine(message);

    /// <summary>Cancels at Ctrl-C, SIGTERM and SIGHUP, and lets the command end by itself; a second signal ends it at once.</summary>
    public static CancellationTokenSource CancelOnSignal()
    {
        var source = new CancellationTokenSource();
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
            Registrations.Add(PosixSignalRegistration.Create(signal, context => Cancel(context, source)));
        return source;
    }

    private static void Cancel(PosixSignalContext context, CancellationTokenSource source)
    {
        try
        {
            context.Cancel = !source.IsCancellationRequested;
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // What could be cancelled is over.
        }
    }

    /// <summary>Text off a stream, without what a terminal would obey.</summary>
    public static string Plain(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = char.IsControl(source[i]) ? '?' : source[i];
    });
}
