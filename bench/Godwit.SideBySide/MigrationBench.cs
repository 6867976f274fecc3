using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary>
/// A stopped guest leaves over loopback TCP on one channel, in all pairings of QEMU and Godwit, in turn, beside a plain copy of the same
/// memory through such a socket. The time is the one that the source reports (query-migrate, total-time). Every destination has waited
/// for its source for some seconds, as one that a fleet has prepared.
/// </summary>
internal static class MigrationBench
{
    private static readonly TimeSpan Waited = TimeSpan.FromSeconds(2);
    public static readonly (string From, string To)[] Pairings = [("qemu", "qemu"), ("qemu", "godwit"), ("godwit", "qemu"), ("godwit", "godwit")];

    public static async Task RunAsync(long size, int rounds)
    {
        foreach (var fill in new[] { "random", "zero" })
        {
            using var memory = fill == "random" ? MemoryFile.Random(size) : MemoryFile.Zero(size);
            var field = new Field(string.Create(CultureInfo.InvariantCulture, $"{size >> 20} MiB of {fill} memory, stopped guest, tcp, one channel"), "qemu to qemu");
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var (from, to) in Pairings)
                    field.Add($"{from} to {to}", round, await MoveAsync(from, to, memory.Path, size));
                field.Add(fill == "random" ? "raw socket" : "raw reader", round, fill == "random" ? RawSocket.Copy(memory.Path, size) : RawScan.Read(memory.Path, size, 1));
            }

            field.Print(size);
        }
    }

    /// <param name="channels">Multifd channels; 0: along the main one.</param>
    /// <param name="compression">Of the multifd channels.</param>
    /// <returns>Seconds.</returns>
    public static async Task<double> MoveAsync(string from, string to, string memory, long size, int channels = 0, string compression = "none")
    {
        await using var destination = await StartAsync(to, size, $"memory-backend-ram,id=m,size={size}", "-incoming", "defer");
        var uri = $"tcp:127.0.0.1:{FreePort()}";
        await SetAsync(destination, channels, compression);
        await destination.Qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = uri });
        await using var source = await StartAsync(from, size, $"memory-backend-file,id=m,mem-path={memory},size={size},share=off", "-S");
        await SetAsync(source, channels, compression);
        await Task.Delay(Waited);
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0 });
        await source.Qmp.MigrateAsync(uri);
        var info = await source.Qmp.WaitForMigrationAsync();
        return info.GetProperty("status").GetString() == "completed"
            ? info.GetProperty("total-time").GetInt64() / 1000.0
            : throw new IOException($"{from} to {to}: the migration did not complete: {info}");
    }

    private static async Task SetAsync(QemuProcess machine, int channels, string compression)
    {
        if (channels == 0)
            return;
        await machine.Qmp.SetParametersAsync(new JsonObject { ["multifd-channels"] = channels, ["multifd-compression"] = compression });
        await machine.Qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = new JsonArray(new JsonObject { ["capability"] = "multifd", ["state"] = true }) });
    }

    private static Task<QemuProcess> StartAsync(string name, long size, string backend, params string[] more)
    {
        var command = MachineCommand.Live(name);
        string[] options = ["-M", "virt,memory-backend=m", "-object", backend, "-m", $"{size >> 20}M", "-bios", "none", "-nodefaults", "-display", "none"];
        return QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. options, .. more]);
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
