using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>A machine of any kind, standing, with 8 MiB of pages in its memory that differ, zero ones among them.</summary>
internal static class PatternMachine
{
    /// <param name="machine">What makes it that machine, separated by spaces.</param>
    public static string[] Options(TemporaryFolder folder, string machine)
    {
        WritePattern(folder.File("pattern"));
        return
        [
            .. machine.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-m", "64M", "-nodefaults", "-display", "none",
            "-device", $"loader,file={folder.File("pattern")},addr=0x1000000,force-raw=on",
        ];
    }

    /// <summary>Another one, standing, that has loaded a file.</summary>
    public static async Task<QemuProcess> LoadAsync(string qemu, string[] options, string file)
    {
        var machine = await QemuProcess.StartAsync(Peers.Path(qemu), [.. options, "-S", "-incoming", $"file:{file}"]);
        var info = await machine.Qmp.WaitForMigrationAsync();
        Assert.True(info.GetProperty("status").GetString() == "completed", machine.Errors);
        return machine;
    }

    /// <returns>A digest of all of its memory.</returns>
    public static async Task<string> MemoryAsync(QemuProcess machine, TemporaryFolder folder)
    {
        var path = folder.File($"memory-{machine.ProcessId}");
        await machine.Qmp.ExecuteAsync("pmemsave", new JsonObject { ["val"] = 0, ["size"] = 64 << 20, ["filename"] = path });
        var bytes = await File.ReadAllBytesAsync(path);
        Assert.True(bytes.AsSpan(0x1000000, 8 << 20).ContainsAnyExcept((byte)0));
        return System.Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private static void WritePattern(string path)
    {
        var bytes = new byte[8 << 20];
        var random = new Random(8);
        for (var page = 0; page < bytes.Length; page += 8192)
            random.NextBytes(bytes.AsSpan(page, page % 5 == 0 ? 0 : 3000));
        File.WriteAllBytes(path, bytes);
    }
}
