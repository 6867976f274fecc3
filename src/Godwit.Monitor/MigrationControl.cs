using System.Text.Json;
using System.Text.Json.Nodes;

namespace Godwit.Monitor;

/// <summary>The commands of a migration, as a machine's QMP has them. Source: QEMU qapi/migration.json.</summary>
public static class MigrationControl
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    public static Task MigrateAsync(this QmpClient qmp, string uri, CancellationToken cancellation = default) =>
        qmp.ExecuteAsync("migrate", new JsonObject { ["uri"] = uri }, cancellation);

    /// <summary>Switches capabilities on.</summary>
    public static Task SetCapabilitiesAsync(this QmpClient qmp, IEnumerable<string> capabilities, CancellationToken cancellation = default) =>
        qmp.SetCapabilitiesAsync(capabilities.Select(c => KeyValuePair.Create(c, true)), cancellation);

    public static Task SetCapabilitiesAsync(this QmpClient qmp, IEnumerable<KeyValuePair<string, bool>> capabilities, CancellationToken cancellation = default)
    {
        var list = new JsonArray();
        foreach (var (name, on) in capabilities)
            list.Add((JsonNode)new JsonObject { ["capability"] = name, ["state"] = on });
        return qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = list }, cancellation);
    }

    public static Task SetParametersAsync(this QmpClient qmp, JsonObject parameters, CancellationToken cancellation = default) =>
        qmp.ExecuteAsync("migrate-set-parameters", parameters, cancellation);

    /// <returns>What query-migrate answers; its status is missing before the first migration.</returns>
    public static Task<JsonElement> QueryMigrateAsync(this QmpClient qmp, CancellationToken cancellation = default) =>
        qmp.ExecuteAsync("query-migrate", null, cancellation);

    /// <returns>The run state: <c>running</c>, <c>postmigrate</c>, <c>inmigrate</c>…</returns>
    public static async Task<string> QueryStatusAsync(this QmpClient qmp, CancellationToken cancellation = default) =>
        (await qmp.ExecuteAsync("query-status", null, cancellation)).GetProperty("status").GetString()!;

    /// <summary>Waits until the migration is over, one way or the other.</summary>
    /// <returns>The last answer of query-migrate.</returns>
    public static async Task<JsonElement> WaitForMigrationAsync(this QmpClient qmp, CancellationToken cancellation = default)
    {
        while (true)
        {
            var info = await qmp.QueryMigrateAsync(cancellation);
            if (info.TryGetProperty("status", out var status) && status.GetString() is "completed" or "failed" or "cancelled" or "postcopy-paused")
                return info;
            await Task.Delay(PollInterval, cancellation);
        }
    }
}
