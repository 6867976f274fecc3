using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>Capability x-ignore-shared: shared memory stays where it is, and only the rest goes through the file.</summary>
public sealed class SharedMemoryTests
{
    [Theory]
    [InlineData("qemu-system-riscv64")]
    [InlineData("qemu-newest-system-riscv64")]
    public async Task A_guest_whose_memory_is_shared_goes_on_with_it(string qemu)
    {
        using var folder = new TemporaryFolder();
        var machine = Heartbeat.Machine("pages=1k rate=5k pattern=random");
        machine[1] = "virt,memory-backend=m";
        machine = [.. machine, "-object", $"memory-backend-file,id=m,mem-path={folder.File("ram")},size=64M,share=on"];
        await using var source = await QemuProcess.StartAsync(Peers.Path(qemu), machine);
        await Heartbeat.WaitForBeatAsync(source, 3);
        await source.Qmp.SetCapabilitiesAsync(["x-ignore-shared", "return-path"]);
        var file = folder.File("guest.stream");
        await Capture.IntoFileAsync(source, "unix", folder, file);
        var before = Heartbeat.All(source)[^1];
        await source.DisposeAsync();

        await using var destination = await QemuProcess.StartAsync(Peers.Path(qemu), [.. machine, "-incoming", "defer"]);
        await destination.Qmp.SetCapabilitiesAsync(["x-ignore-shared", "return-path"]);
        await destination.Qmp.ExecuteAsync("migrate-incoming", new() { ["uri"] = $"unix:{destination.Folder}/in" });
        var sent = await GodwitCommand.RunAsync("send", file, $"unix:{destination.Folder}/in", "--return-path");

        Assert.True(sent.ExitCode == 0, sent.Errors + destination.Errors);
        await Heartbeat.WaitForBeatAsync(destination, before.Beat + 4);
        var after = Heartbeat.All(destination);
        Assert.Equal(before.Beat + 1, after[0].Beat);
        Assert.Equal(0, after[^1].Errors);
        Assert.True(new FileInfo(file).Length < 2 << 20, "the file holds shared memory");
    }
}
