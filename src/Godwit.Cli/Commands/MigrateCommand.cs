using System.CommandLine;
using System.Globalization;
using Godwit.Cli.Migrate;
using Godwit.Cli.Output;
using Godwit.Monitor;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit migrate --qmp SOCKET URI</c>: drives a machine's migration by its monitor, whoever made the machine.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var qmp = Parsed("--qmp", "The machine's monitor: unix:PATH, tcp:HOST:PORT, or a path", QmpAddress.Parse);
        qmp.Required = true;
        var uri = new Argument<string>("URI")
        {
            Description = "Where the machine migrates to, as the machine spells it: tcp:HOST:PORT, unix:PATH, exec:COMMAND, file:PATH",
            Validators =
            {
                result =>
                {
                    if (result.Tokens is not [var token] || token.Value.IndexOf(':', StringComparison.Ordinal) is <= 0)
                        result.AddError("URI is a migration address such as tcp:HOST:PORT or unix:PATH");
                },
            },
        };
        var capabilities = ParsedList("--capability", "A capability to switch on (NAME or NAME=on) or off (NAME=off); may be repeated", MigrateSettings.Capability);
        var parameters = ParsedList("--parameter", "A parameter to set, NAME=VALUE: a number, a size such as 32M, on, off or text; may be repeated", MigrateSettings.Parameter);
        var hold = new Option<bool>("--no-continue") { Description = "With pause-before-switchover: wait there until somebody else continues" };
        var timeout = Parsed("--timeout", "Cancel after so many seconds", Seconds);
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON" };
        var command = new Command("migrate", "Drive the live migration of any machine that has a QMP monitor.") { qmp, uri, capabilities, parameters, hold, timeout, json };
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetRequiredValue(qmp),
            new MigrateRequest(parsed.GetRequiredValue(uri), parsed.GetValue(capabilities) ?? [], parsed.GetValue(parameters) ?? [], !parsed.GetValue(hold)),
            parsed.GetValue(timeout),
            parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(QmpAddress address, MigrateRequest request, TimeSpan? timeout, bool json)
    {
        using var cancel = Terminal.CancelOnSignal();
        await using var qmp = await ConnectAsync(address, cancel.Token);
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancel.Token);
        var drive = new MigrationDrive(qmp, new MigrateDisplay());
        MigrationSample last;
        try
        {
            await drive.ConfigureAsync(request, cancel.Token);
            if (timeout is { } limit)
                timer.CancelAfter(limit);
            last = await drive.RunAsync(request, timer.Token);
        }
        catch (FormatException e)
        {
            Terminal.Error(e.Message);
            return ExitCode.Usage;
        }
        catch (QmpException e) when (e.Command == "migrate")
        {
            Terminal.Error($"{e.Message}; {NextStep(request.Uri)}");
            Terminal.Error(await WhereaboutsAsync(qmp));
            return ExitCode.Failed;
        }

        if (json)
            MigrateSummary.PrintJson(last);
        else
            MigrateSummary.Table(last, request.Uri).Print(Console.Out, Terminal.OutputIsTerminal);
        if (last.Status == "completed")
        {
            if (timer.IsCancellationRequested)
                Terminal.Note("it could no longer be cancelled: the guest has gone over");
            return ExitCode.Done;
        }

        Terminal.Error(Problem(last, request.Uri, cancel.IsCancellationRequested, timeout));
        Terminal.Error(await WhereaboutsAsync(qmp));
        return ExitCode.Failed;
    }

    private static async Task<QmpClient> ConnectAsync(QmpAddress address, CancellationToken cancellation)
    {
        try
        {
            return await QmpClient.ConnectAsync(address, cancellation);
        }
        catch (IOException e) when (e.InnerException is System.Net.Sockets.SocketException)
        {
            throw new IOException($"{e.Message}; start the machine with -qmp {(address.ToString().StartsWith("tcp:", StringComparison.Ordinal) ? "" : "unix:")}{address},server=on,wait=off", e);
        }
    }

    private static string Problem(MigrationSample last, string uri, bool interrupted, TimeSpan? timeout) => last.Status switch
    {
        "cancelled" when interrupted => "cancelled",
        "cancelled" when timeout is { } limit => $"cancelled: it did not end within {limit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s",
        "cancelled" => "cancelled by somebody else",
        "postcopy-paused" => "postcopy has lost its connection; migrate-recover at the destination, then migrate with resume at the source",
        _ => $"the migration failed: {last.Error ?? "the machine doesn't say why"}; {NextStep(uri)}",
    };

    private static string NextStep(string uri) => $"is the destination there, the same machine, with -incoming {uri}? Its standard error says more";

    private static async Task<string> WhereaboutsAsync(QmpClient qmp)
    {
        var state = await qmp.QueryStatusAsync();
        return state switch
        {
            "running" => "the guest runs on at the source",
            "postmigrate" or "finish-migrate" => $"the guest stands at the source ({state}); cont at its monitor wakes it, unless it runs at the destination",
            _ => $"the guest stays at the source ({state})",
        };
    }

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 2_000_000
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("--timeout is a number of seconds");

    private static Option<T> Parsed<T>(string name, string description, Func<string, T> parse) => new(name)
    {
        Description = description,
        CustomParser = result => Try(result, () => parse(result.Tokens[0].Value)),
    };

    private static Option<T[]> ParsedList<T>(string name, string description, Func<string, T> parse) => new(name)
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => Try(result, () => result.Tokens.Select(t => parse(t.Value)).ToArray()),
    };

    private static T? Try<T>(System.CommandLine.Parsing.ArgumentResult result, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return default;
        }
    }
}
