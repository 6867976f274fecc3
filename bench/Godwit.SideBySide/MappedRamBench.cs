using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary>
/// A mapped-ram file in memory (tmpfs): a stopped guest is saved into it, and a running one restored from it, with its memory read first, and as the guest touches it; by QEMU
/// and by Godwit in turn, beside a plain copy of as many bytes between file and memory. A save takes what the source reports (query-migrate, total-time), a restore from
/// <c>migrate-incoming</c> to the event RESUME, in a process that has waited for some seconds.
/// </summary>
internal static class MappedRamBench
{
    private static readonly TimeSpan Waited = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(long size, int rounds)
    {
        using var memory = MemoryFile.Random(size);
        using var file = MemoryFile.Empty();
        foreach (var channels in new[] { 0, 2 })
            await SaveAsync(memory, file, size, channels, rounds);
        foreach (var length in new[] { size / 4, size })
        {
            using var guest = MemoryFile.Random(length);
            await CaptureAsync(guest, file, length);
            foreach (var channels in new[] { 0, 2 })
                await RestoreAsync(file, length, channels, rounds);
        }
    }

    private static async Task SaveAsync(MemoryFile memory, MemoryFile file, long size, int channels, int rounds)
    {
        var field = new Field($"save of {Title(size, channels)}", "qemu");
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var name in new[] { "qemu", "godwit" })
            {
                File.Delete(file.Path);
                await using var source = await StartAsync(name, ["-M", "virt,memory-backend=m", "-object", Backend(memory, size), "-m", $"{size >> 20}M", "-bios", "none", "-nodefaults", "-display", "none", "-S"]);
                await SetAsync(source, channels, []);
                await Task.Delay(Waited);
                field.Add(name, round, await SaveAsync(source, file));
            }

            File.Delete(file.Path);
            field.Add(Raw(channels), round, RawFile.Write(memory.Path, file.Path, size, Math.Max(1, channels)));
        }

        field.Print(size);
    }

    private static async Task RestoreAsync(MemoryFile file, long size, int channels, int rounds)
    {
        var field = new Field($"restore of {Title(size, channels)}, until the guest runs", "qemu");
        for (var round = 0; round <= rounds; round++)
        {
            field.Add("qemu", round, await RestoreAsync("qemu", file, size, channels, lazy: false));
            field.Add("godwit", round, await RestoreAsync("godwit", file, size, channels, lazy: false));
            field.Add("godwit, lazy", round, await RestoreAsync("godwit", file, size, channels, lazy: true));
            field.Add(Raw(channels), round, RawFile.Read(file.Path, size, Math.Max(1, channels)));
        }

        field.Print(size);
    }

    private static string Title(long size, int channels) =>
        string.Create(CultureInfo.InvariantCulture, $"{size >> 20} MiB of random memory, mapped-ram, {(channels == 0 ? "one thread" : $"multifd, {channels} channels")}");

    private static string Raw(int channels) => channels == 0 ? "raw copy" : $"raw copy, {channels} threads";

    private static string Backend(MemoryFile memory, long size) => $"memory-backend-file,id=m,mem-path={memory.Path},size={size},share=off";

    /// <summary>A file of a guest that runs, and can be asked whether it lives.</summary>
    private static async Task CaptureAsync(MemoryFile memory, MemoryFile file, long size)
    {
        File.Delete(file.Path);
        await using var source = await StartAsync("qemu", ["-object", Backend(memory, size), .. Heartbeat.Machine("pages=16 rate=1k beat=20", $"{size >> 20}M"), "-M", "virt,memory-backend=m"]);
        await Heartbeat.WaitForBeatAsync(source, 5);
        await SetAsync(source, 2, []);
        await SaveAsync(source, file);
    }

    private static async Task<double> SaveAsync(QemuProcess source, MemoryFile file)
    {
        await source.Qmp.SetParametersAsync(new JsonObject { ["max-bandwidth"] = 0, ["downtime-limit"] = 2000 });
        await source.Qmp.MigrateAsync($"file:{file.Path}");
        var info = await source.Qmp.WaitForMigrationAsync();
        return info.GetProperty("status").GetString() == "completed"
            ? info.GetProperty("total-time").GetInt64() / 1000.0
            : throw new IOException($"the save did not complete: {info}");
    }

    private static async Task<double> RestoreAsync(string name, MemoryFile file, long size, int channels, bool lazy)
    {
        await using var machine = await StartAsync(name, ["-object", $"memory-backend-ram,id=m,size={size}", .. Heartbeat.Machine("", $"{size >> 20}M"), "-M", "virt,memory-backend=m", "-incoming", "defer"]);
        await SetAsync(machine, channels, lazy ? ["postcopy-ram"] : []);
        await Task.Delay(Waited);
        var watch = Stopwatch.StartNew();
        await LiveGuest.IncomingAsync(machine, $"file:{file.Path}");
        while ((await machine.Qmp.Events.ReadAsync()).Name != "RESUME")
        {
        }

        var seconds = watch.Elapsed.TotalSeconds;
        await Heartbeat.WaitForBeatAsync(machine, 8);
        var end = await machine.Qmp.WaitForMigrationAsync();
        return end.GetProperty("status").GetString() == "completed" && Heartbeat.All(machine).TrueForAll(b => b.Errors == 0)
            ? seconds
            : throw new IOException($"{name}: the restore did not complete: {end}");
    }

    private static async Task SetAsync(QemuProcess machine, int channels, string[] more)
    {
        await machine.Qmp.SetCapabilitiesAsync(["mapped-ram", .. channels > 0 ? ["multifd"] : Array.Empty<string>(), .. more]);
        await machine.Qmp.SetParametersAsync(new JsonObject { ["multifd-channels"] = Math.Max(1, channels) });
    }

    private static Task<QemuProcess> StartAsync(string name, string[] options)
    {
        var command = MachineCommand.Live(name);
        return QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. options]);
    }
}
