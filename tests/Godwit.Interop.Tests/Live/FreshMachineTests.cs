using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A machine that has done nothing yet, sent by QEMU 11.1 and by Godwit: byte for byte the same, but for what is named here.</summary>
public sealed class FreshMachineTests
{
    /// <summary>The one value that differs: <c>tick_offset</c>, what the host's clock was past a whole second when the machine was made.</summary>
    private static readonly (string Label, int Start, int End) s_hostTime = ("goldfish_rtc/0", 32, 40);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Sections_are_QEMUs(int harts)
    {
        var theirs = await SavedAsync("qemu", harts);
        var ours = await SavedAsync("godwit", harts);

        Assert.Equal(theirs.Select(d => (d.Label, d.Structure.Version, d.Body.Length)), ours.Select(d => (d.Label, d.Structure.Version, d.Body.Length)));
        Assert.Empty(theirs.Zip(ours).SelectMany(pair => Differences(pair.First, pair.Second)));
    }

    private static IEnumerable<string> Differences(SavedDevices.Device theirs, SavedDevices.Device ours)
    {
        var header = theirs.Section.Length - theirs.Body.Length - 5;
        for (var at = 0; at < theirs.Section.Length; at++)
        {
            var inBody = at - header;
            if (theirs.Section[at] == ours.Section[at] || (theirs.Label == s_hostTime.Label && inBody >= s_hostTime.Start && inBody < s_hostTime.End))
                continue;
            yield return $"{theirs.Label}, byte {inBody} of the body: QEMU {theirs.Section[at]:x2}, Godwit {ours.Section[at]:x2}";
        }
    }

    private static async Task<List<SavedDevices.Device>> SavedAsync(string name, int harts)
    {
        var command = MachineCommand.Live(name);
        await using var machine = await QemuProcess.StartAsync(command.Program,
            [.. command.Arguments, .. Heartbeat.Machine("pages=1"), "-smp", $"{harts}", "-S"]);
        await machine.Qmp.MigrateAsync($"file:{machine.Folder}/stream");
        Assert.Equal("completed", (await machine.Qmp.WaitForMigrationAsync()).GetProperty("status").GetString());
        return [.. SavedDevices.Of(await File.ReadAllBytesAsync($"{machine.Folder}/stream"))];
    }
}
