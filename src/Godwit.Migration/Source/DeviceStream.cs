using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Godwit.Memory;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

/// <summary>The devices' sections, and the description of them that ends the stream. Source: QEMU migration/savevm.c,
/// qemu_savevm_state_complete_precopy_non_iterable.</summary>
internal sealed class DeviceStream : IDisposable
{
    private readonly StreamOutput _output;
    private readonly ArrayBufferWriter<byte> _body = new(1 << 16);
    private readonly ArrayBufferWriter<byte> _json = new(1 << 16);
    private readonly Utf8JsonWriter _description;

    public DeviceStream(StreamOutput output)
    {
        _output = output;
        _description = new Utf8JsonWriter(_json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Opens the description.</summary>
    public void DescribeConfiguration(ConfigurationSection configuration)
    {
        _description.WriteStartObject();
        _description.WriteStartObject("configuration");
        _description.WriteString("vmsd_name", "configuration");
        _description.WriteNumber("version", 1);
        _description.WriteStartArray("fields");
        Field("len", "uint32", 4);
        Field("name", "buffer", configuration.MachineName.Length);
        _description.WriteEndArray();
        if (configuration.Capabilities is not null || configuration.Uuid is not null)
        {
            _description.WriteStartArray("subsections");
            if (configuration.Capabilities is { } capabilities)
                Subsection("configuration/capabilities", () => DescribeCapabilities(capabilities));
            if (configuration.Uuid is not null)
                Subsection("configuration/uuid", () => Field("uuid.data", "uint8", 1, 16));
            _description.WriteEndArray();
        }

        _description.WriteEndObject();
        _description.WriteNumber("page_size", GuestPage.Size);
        _description.WriteStartArray("devices");
    }

    public void Put(IDeviceSection device, uint id)
    {
        var header = new SectionHeader(SectionType.Full, id, device.IdStr, device.InstanceId, device.Version);
        _body.ResetWrittenCount();
        device.Save(_body, _description);
        var writer = _output.Writer(SectionHeader.MaxLength);
        header.Write(ref writer);
        _output.Put(writer);
        _output.Put(_body.WrittenSpan);
        writer = _output.Writer(SectionHeader.FooterLength);
        header.WriteFooter(ref writer);
        _output.Put(writer);
    }

    /// <summary>EOF and the description: with these the destination has all.</summary>
    public void PutEnd()
    {
        _description.WriteEndArray();
        _description.WriteEndObject();
        _description.Flush();
        Span<byte> head = [(byte)SectionType.Eof, (byte)SectionType.VmDescription, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(head[2..], _json.WrittenCount);
        _output.Put(head);
        _output.Put(_json.WrittenSpan);
    }

    public void Dispose() => _description.Dispose();

    private void DescribeCapabilities(IReadOnlyList<string> capabilities)
    {
        Field("caps_count", "uint32", 4);
        foreach (var capability in capabilities)
            Field("capabilities", "capability", 1 + capability.Length);
    }

    private void Subsection(string name, Action fields)
    {
        _description.WriteStartObject();
        _description.WriteString("vmsd_name", name);
        _description.WriteNumber("version", 1);
        _description.WriteStartArray("fields");
        fields();
        _description.WriteEndArray();
        _description.WriteEndObject();
    }

    private void Field(string name, string type, int size, int? count = null)
    {
        _description.WriteStartObject();
        _description.WriteString("name", name);
        if (count is { } length)
            _description.WriteNumber("array_len", length);
        _description.WriteString("type", type);
        _description.WriteNumber("size", size);
        _description.WriteEndObject();
    }
}
