using System.Text.Json.Nodes;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary>What Godwit and QEMU 11.1 say of the saved state of their devices without running.</summary>
public sealed class VmStateDumpTests : IDisposable
{
    /// <summary>Sections that belong to no device by QEMU's reckoning: its dump has none of them. Their fields are compared in what a
    /// stream says of itself, and byte by byte.</summary>
    private static readonly string[] OfNoDevice = ["timer", "cpu_common", "cpu", "PCIBUS", "virt_acpi_build", "globalstate"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_member_differs_from_QEMUs()
    {
        var theirs = await DumpAsync(MachineCommand.Qemu, "qemu");
        var ours = await DumpAsync(MachineCommand.Godwit, "godwit");

        Assert.Equal("""{"Name":"virt"}""", ours["vmschkmachine"]!.ToJsonString());
        Assert.True(ours.Count > 8, $"{ours.Count} sections");
        Assert.Empty(ours.SelectMany(section => Differences(section.Key, section.Value, theirs[section.Key])));
        Assert.Empty(theirs.Select(section => (string?)section.Value!["Description"]?["name"]).Intersect(OfNoDevice));
    }

    /// <summary>Every member of either side, down to the last field.</summary>
    private static IEnumerable<string> Differences(string path, JsonNode? ours, JsonNode? theirs)
    {
        switch (ours, theirs)
        {
            case (JsonObject a, JsonObject b):
                return a.Select(m => m.Key).Union(b.Select(m => m.Key)).SelectMany(key => Differences($"{path}.{key}", a[key], b[key]));
            case (JsonArray a, JsonArray b):
                return Enumerable.Range(0, Math.Max(a.Count, b.Count)).SelectMany(i => Differences($"{path}[{i}]", a.ElementAtOrDefault(i), b.ElementAtOrDefault(i)));
            default:
                var (left, right) = (ours?.ToJsonString(), theirs?.ToJsonString());
                return left == right ? [] : [$"{path}: {left ?? "nothing"}, QEMU has {right ?? "nothing"}"];
        }
    }

    private async Task<JsonObject> DumpAsync(MachineCommand command, string name)
    {
        // Options in the order that people write them in: the machine, then what to do.
        string[] arguments = [.. command.Arguments, "-M", "virt", "-bios", "none", "-display", "none", "-dump-vmstate", _folder.File(name)];
        var result = await GodwitCommand.RunProgramAsync(command.Program, arguments);
        Assert.Equal(new CommandResult(0, "", ""), result);
        return JsonNode.Parse(await File.ReadAllTextAsync(_folder.File(name)))!.AsObject();
    }
}
