using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Monitor;

namespace Godwit.Cli.Migrate;

/// <param name="Continue">Whether a wait at pre-switchover is ended.</param>
internal sealed record MigrateRequest(string Uri, IReadOnlyList<KeyValuePair<string, bool>> Capabilities, IReadOnlyList<KeyValuePair<string, string>> Parameters, bool Continue);

/// <summary>Drives one migration of a machine by its monitor, from settings to the end.</summary>
internal sealed class MigrationDrive(QmpClient qmp, MigrateDisplay display)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(30);

    private readonly Convergence _convergence = new();
    private readonly Stopwatch _watch = new();
    private MigrationBounds _bounds;

    /// <exception cref="QmpException">The machine refuses a setting.</exception>
    public async Task ConfigureAsync(MigrateRequest request, CancellationToken cancellation)
    {
        var known = await qmp.ExecuteAsync("query-migrate-capabilities", null, cancellation);
        var names = known.EnumerateArray().Select(c => c.GetProperty("capability").GetString()!).ToList();
        foreach (var (name, _) in request.Capabilities)
        {
            if (!names.Contains(name, StringComparer.Ordinal))
                throw new IOException($"the machine knows no capability '{name}'; it knows {string.Join(", ", names)}");
        }

        if (request.Capabilities.Count > 0)
            await qmp.SetCapabilitiesAsync(request.Capabilities, cancellation);
        if (request.Parameters.Count == 0)
            return;
        var current = await qmp.ExecuteAsync("query-migrate-parameters", null, cancellation);
        var parameters = new JsonObject();
        foreach (var (name, text) in request.Parameters)
            parameters[name] = MigrateSettings.Typed(name, text, current.TryGetProperty(name, out var now) ? now : default);
        await qmp.SetParametersAsync(parameters, cancellation);
    }

    /// <summary>Starts, and returns at the end; cancelled, it ends the migration and waits for that.</summary>
    public async Task<MigrationSample> RunAsync(MigrateRequest request, CancellationToken cancellation)
    {
        _watch.Start();
        await qmp.MigrateAsync(request.Uri, CancellationToken.None);
        try
        {
            return await display.RunAsync(() => WatchAsync(request.Continue, cancellation));
        }
        catch (OperationCanceledException)
        {
            return await CancelAsync();
        }
    }

    private async Task<MigrationSample> WatchAsync(bool goOn, CancellationToken cancellation)
    {
        var askBounds = TimeSpan.Zero;
        var waits = false;
        while (true)
        {
            if (_watch.Elapsed >= askBounds)
            {
                _bounds = Bounds(await qmp.ExecuteAsync("query-migrate-parameters", null, cancellation));
                askBounds = _watch.Elapsed + TimeSpan.FromSeconds(1);
            }

            var now = await SampleAsync(cancellation);
            display.Show(now, _convergence.Add(now, _bounds));
            if (now.IsOver)
                return now;
            if (now.Status == "pre-switchover" && goOn)
                await ContinueAsync(cancellation);
            else if (now.Status == "pre-switchover" && !waits)
                display.Note("the guest stands at pre-switchover: migrate-continue at its monitor lets it go over, Ctrl-C keeps it here");
            waits = now.Status == "pre-switchover";
            await Task.Delay(Interval, cancellation);
        }
    }

    private async Task ContinueAsync(CancellationToken cancellation)
    {
        try
        {
            await qmp.ExecuteAsync("migrate-continue", new JsonObject { ["state"] = "pre-switchover" }, cancellation);
        }
        catch (QmpException)
        {
            // It went on by itself, or failed; the next look tells.
        }
    }

    private async Task<MigrationSample> CancelAsync()
    {
        using var patience = new CancellationTokenSource(CancelPatience);
        try
        {
            await qmp.ExecuteAsync("migrate_cancel", null, patience.Token);
            while (true)
            {
                var now = await SampleAsync(patience.Token);
                if (now.IsOver)
                    return now;
                await Task.Delay(TimeSpan.FromMilliseconds(10), patience.Token);
            }
        }
        catch (OperationCanceledException e)
        {
            throw new IOException($"the machine did not cancel within {CancelPatience.TotalSeconds} s; look at query-migrate at its monitor", e);
        }
    }

    private async Task<MigrationSample> SampleAsync(CancellationToken cancellation) =>
        MigrationSample.Read(await qmp.QueryMigrateAsync(cancellation), _watch.Elapsed);

    private static MigrationBounds Bounds(JsonElement parameters) => new(Number(parameters, "downtime-limit"), Number(parameters, "max-bandwidth"));

    private static long Number(JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;
}
