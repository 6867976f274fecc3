using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;

namespace Godwit.Machine.Tests.Saved;

public sealed class VmStateDumpTests
{
    /// <summary>What QEMU's dump hasn't either: see tests/Godwit.Interop.Tests/VmStateDumpTests.cs.</summary>
    private static readonly string[] OfNoDevice = ["timer", "cpu_common", "cpu", "PCIBUS", "virt_acpi_build", "globalstate"];

    [Fact]
    public void Every_section_that_QEMU_would_dump_is_dumped()
    {
        using var stream = new MemoryStream();
        VirtVmStateDump.Write(stream);
        using var machine = new VirtMachine(new VirtOptions(new LoadRequest(CpuModel.Default, 1, 16 << 20) { Firmware = "none" }));

        var dumped = JsonNode.Parse(stream.ToArray())!.AsObject().Select(section => (string?)section.Value!["Description"]?["name"]).OfType<string>();
        Assert.Equal(SavedNames(machine).Order(StringComparer.Ordinal), dumped.Concat(OfNoDevice).Order(StringComparer.Ordinal));
    }

    private static List<string> SavedNames(VirtMachine machine)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            foreach (var device in machine.Devices)
                device.Save(new ArrayBufferWriter<byte>(), json);
            json.WriteEndArray();
        }

        return [.. JsonNode.Parse(text.WrittenSpan)!.AsArray().Select(device => (string)device!["vmsd_name"]!).Distinct()];
    }
}
