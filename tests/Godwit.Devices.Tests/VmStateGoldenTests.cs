using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Devices.Aclint;
using Godwit.Devices.Character;
using Godwit.Devices.Clock;
using Godwit.Devices.Gpex;
using Godwit.Devices.Interrupts;
using Godwit.Devices.Plic;
using Godwit.Devices.Uart16550;
using Godwit.Migration;

namespace Godwit.Devices.Tests;

/// <summary>What QEMU saved of its devices is loaded into ours and saved again.</summary>
public sealed class VmStateGoldenTests
{
    [Theory]
    [InlineData("riscv_sifive_plic")]
    [InlineData("riscv_mtimer")]
    [InlineData("0000:00:00.0/gpex_root")]
    [InlineData("PCIHost")]
    [InlineData("PCIBUS")]
    [InlineData("serial")]
    public void QemuS_section_comes_out_as_it_went_in(string name)
    {
        var stream = Golden("virt-11.1");
        var (version, body, offset) = Find(stream, name);
        var section = Fresh(name);

        var taken = section.Load(body, version, offset);

        Assert.True(taken > 0);
        var saved = new ArrayBufferWriter<byte>();
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
            section.Save(saved, json);
        Assert.Equal(Convert.ToHexString(body[..taken]), Convert.ToHexString(saved.WrittenSpan));
        Assert.Equal(version, section.Version);
        Assert.Equal(Description(stream, name), JsonNode.Parse(text.WrittenSpan)!.ToJsonString());
        Assert.Equal(0x7e, body[taken]);
        for (var cut = 0; cut < taken; cut++)
            Assert.Equal(-1, Fresh(name).Load(body.AsSpan(0, cut), version, offset));
    }

    [Fact]
    public void The_timer_of_QEMU_10_is_set_by_its_compare_registers()
    {
        var (version, body, offset) = Find(Golden("virt-10.0-xbzrle"), "riscv_mtimer");
        var section = Fresh("riscv_mtimer");

        Assert.Equal(1u, version);
        Assert.Equal(8, section.Load(body, version, offset));
        Assert.Equal(0x7e, body[8]);
    }

    private static IDeviceSection Fresh(string name)
    {
        var lines = Enumerable.Range(0, 4).Select(_ => new InterruptLine(_ => { })).ToArray();
        return name switch
        {
            "riscv_sifive_plic" => PlicVmState.Section(new PlicDevice(lines[..2])),
            "riscv_mtimer" => AclintMtimerVmState.Section(new AclintMtimerDevice(new VirtualClock(new Lock()), lines[..1])),
            "serial" => Uart16550VmState.Section(new Uart16550Device(lines[0], new VirtualClock(new Lock()), new NullBackend())),
            _ => GpexVmState.Sections(new GpexHost(lines)).Single(s => s.IdStr == name),
        };
    }

    private static byte[] Golden(string name)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Godwit.slnx")))
            root = Path.GetDirectoryName(root)!;
        using var file = new GZipStream(File.OpenRead(Path.Combine(root, "tests", "Golden", name + ".stream.gz")), CompressionMode.Decompress);
        var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static (uint Version, byte[] Body, long Offset) Find(byte[] stream, string name)
    {
        byte[] mark = [(byte)name.Length, .. Encoding.ASCII.GetBytes(name), 0, 0, 0, 0];
        var at = stream.AsSpan().IndexOf(mark) + mark.Length;
        return (BinaryPrimitives.ReadUInt32BigEndian(stream.AsSpan(at)), stream[(at + 4)..], at + 4);
    }

    private static string Description(byte[] stream, string name)
    {
        var at = stream.AsSpan().LastIndexOf("{\"configuration\""u8);
        var root = JsonNode.Parse(stream.AsSpan(at).TrimEnd((byte)0))!;
        return root["devices"]!.AsArray().First(d => (string?)d!["name"] == name)!.ToJsonString();
    }
}
