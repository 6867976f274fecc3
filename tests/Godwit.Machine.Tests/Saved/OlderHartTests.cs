using System.Text;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.VmState;

namespace Godwit.Machine.Tests.Saved;

/// <summary>Version 11 of section <c>cpu</c>, which no QEMU here writes: made of a version 12 that one did, as QEMU's sources have both.</summary>
public sealed class OlderHartTests : IDisposable
{
    private const int PmpEntry = 9, PmpEntries = 16;

    private readonly VirtMachine _machine = new(new VirtOptions(new LoadRequest(CpuModel.Default, 1, 16 << 20) { Firmware = "none" }) { Incoming = true });

    public void Dispose() => _machine.Dispose();

    [Fact]
    public void Version_11_is_the_same_hart()
    {
        var newest = SavedDevices.Of(Golden.Stream("virt-11.1")).Single(d => d.Structure.Name == "cpu");
        var section = _machine.Devices.Single(d => d.IdStr == "cpu");
        Assert.Equal(newest.Body.Length, section.Load([.. newest.Body, 0x7e], 12, 0));
        var expected = State();
        var older = Older(newest);
        section.Load([.. SavedDevices.Of(Golden.Stream("virt-11.1-stalled")).Single(d => d.Structure.Name == "cpu").Body, 0x7e], 12, 0);
        Assert.NotEqual(expected, State());

        Assert.Equal(older.Length, section.Load([.. older, 0x7e], 11, 0));

        Assert.Equal(expected, State());
        for (var cut = 0; cut <= older.Length; cut++)
            Assert.Equal(-1, section.Load(older.AsSpan(0, cut), 11, 0));
    }

    /// <summary>A section in the form of its version's first days doesn't end where it should: it is refused, not misread.</summary>
    [Fact]
    public void Another_form_does_not_fit()
    {
        var newest = SavedDevices.Of(Golden.Stream("virt-11.1")).Single(d => d.Structure.Name == "cpu");
        var section = _machine.Devices.Single(d => d.IdStr == "cpu");
        byte[] body = [.. newest.Body, 0x7e];
        try
        {
            var taken = section.Load(body, 11, 0);
            Assert.True(taken < 0 || body[taken] != 0x7e, $"{taken} bytes");
        }
        catch (MigrationStreamException e)
        {
            Assert.Equal("cpu/0", e.Section);
        }
    }

    private static byte[] Older(SavedDevices.Device device)
    {
        var at = 0;
        var older = Rewrite(device.Structure, device.Body, ref at);
        Assert.Equal(device.Body.Length, at);
        return older;
    }

    private static byte[] Rewrite(VmStructure part, byte[] body, ref int at)
    {
        var older = new List<byte>();
        foreach (var field in part.Fields)
        {
            var bytes = body.AsSpan(at, (int)field.Size * field.Count);
            at += bytes.Length;
            older.AddRange(field.Name switch
            {
                "env.miselect" or "env.siselect" or "env.vsiselect" or "env.trigger_cur" => [.. new byte[sizeof(ulong) - bytes.Length], .. bytes],
                "env.mcontext" => [],
                "env.pmp_state.pmp" => bytes[..(PmpEntries * PmpEntry)],
                _ => bytes,
            });
        }

        foreach (var subsection in part.Subsections)
        {
            at += subsection.SubsectionHeaderLength;
            var version = (byte)(subsection.VmsdName switch { "cpu/pmp" => 1, "cpu/debug" => 2, _ => subsection.Version!.Value });
            older.AddRange([5, (byte)subsection.VmsdName.Length, .. Encoding.ASCII.GetBytes(subsection.VmsdName), 0, 0, 0, version]);
            older.AddRange(Rewrite(subsection, body, ref at));
        }

        return [.. older];
    }

    private string State()
    {
        var state = _machine.Harts[0].State;
        var body = new System.Buffers.ArrayBufferWriter<byte>();
        using var description = new System.Text.Json.Utf8JsonWriter(Stream.Null);
        _machine.Devices.Single(d => d.IdStr == "cpu").Save(body, description);
        return $"{state.Pc:x} {Convert.ToHexString(body.WrittenSpan)}";
    }
}
