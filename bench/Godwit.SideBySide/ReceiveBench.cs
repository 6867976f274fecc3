using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary>
/// A stopped guest full of random data leaves the same QEMU over loopback: once into <c>godwit receive</c>, once into a QEMU. The time
/// is the one that the source reports (query-migrate, total-time).
/// </summary>
internal static class ReceiveBench
{
    private const string Qemu = "qemu-newest-system-riscv64";

    public static async Task RunAsync(long size, int rounds, string folder)
    {
        using var memory = MemoryFile.Random(size);
        await CompareAsync("receive into memory (tmpfs)", size, rounds, memory.Path, Path.Combine("/dev/shm", $"godwit-bench-{Environment.ProcessId}.stream"));
        await CompareAsync("receive onto this disk", size, rounds, memory.Path, Path.Combine(folder, "received.stream"));
    }

    /// <summary>Leaves a received file for others to read.</summary>
    public static async Task<string> CaptureAsync(long size, string folder)
    {
        using var memory = MemoryFile.Random(size);
        var output = Path.Combine(folder, "captured.stream");
        await IntoGodwitAsync(size, memory.Path, output);
        return output;
    }

    private static async Task CompareAsync(string title, long size, int rounds, string memory, string output)
    {
        Console.WriteLine($"{title}:");
        var comparison = new Comparison($"{title}, {size >> 20} MiB of random data, stopped guest", "QEMU to godwit receive", "QEMU to QEMU");
        try
        {
            for (var round = 0; round <= rounds; round++)
            {
                var ours = await IntoGodwitAsync(size, memory, output);
                File.Delete(output);
                var theirs = await IntoQemuAsync(size, memory);
                if (round > 0)
                    comparison.Add(ours, theirs);
            }
        }
        finally
        {
            File.Delete(output);
        }

        comparison.Print();
    }

    private static async Task<Sample> IntoGodwitAsync(long size, string memory, string output)
    {
        await using var source = await SourceAsync(size, memory);
        using var receive = new Measured(Repository.Path("godwit"), ["receive", "tcp:127.0.0.1:0", "-o", output], "waiting");
        var seconds = await MigrateAsync(source, receive.WaitForLine("waiting for a migration on "));
        return new Sample(seconds, receive.Wait().Memory);
    }

    private static async Task<Sample> IntoQemuAsync(long size, string memory)
    {
        await using var source = await SourceAsync(size, memory);
        await using var destination = await QemuProcess.StartAsync(Peers.Path(Qemu), [.. Machine(size, $"memory-backend-ram,id=m,size={size}"), "-incoming", "defer"]);
        await destination.Qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = "tcp:127.0.0.1:0" });
        var addresses = (await destination.Qmp.QueryMigrateAsync()).GetProperty("socket-address");
        return new Sample(await MigrateAsync(source, $"tcp:127.0.0.1:{addresses[0].GetProperty("port").GetString()}"), 0);
    }

    private static async Task<double> MigrateAsync(QemuProcess source, string uri)
    {
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0 });
        await source.Qmp.MigrateAsync(uri);
        var info = await source.Qmp.WaitForMigrationAsync();
        return info.GetProperty("status").GetString() == "completed"
            ? info.GetProperty("total-time").GetInt64() / 1000.0
            : throw new IOException($"the migration did not complete: {info}");
    }

    private static Task<QemuProcess> SourceAsync(long size, string memory) =>
        QemuProcess.StartAsync(Peers.Path(Qemu), Machine(size, $"memory-backend-file,id=m,mem-path={memory},size={size},share=off"));

    private static string[] Machine(long size, string backend) =>
        ["-M", "virt,memory-backend=m", "-object", backend, "-m", $"{size >> 20}M", "-bios", "none", "-S", "-nodefaults", "-display", "none"];
}
