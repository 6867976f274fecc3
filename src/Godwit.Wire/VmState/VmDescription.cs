using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>
/// The JSON description at the end of a stream: which devices were saved, in stream order, and of which fields they consist.
/// Source: QEMU migration/vmstate.c, vmsd_desc_field_start and vmstate_save_state_v.
/// <code>
/// { "configuration": device, "page_size": bytes, "devices": [ device, ... ] }
/// device: { "name", "instance_id", "vmsd_name", "version", "fields": [ field, ... ], "subsections": [ device, ... ] }
/// field:  { "name", "array_len" or "index", "type", "struct": device, "size": bytes }
/// </code>
/// </summary>
public sealed record VmDescription(int? PageSize, VmStructure? Configuration, IReadOnlyList<VmStructure> Devices)
{
    private const int MaxDepth = 64;

    /// <exception cref="FormatException">It isn't JSON, or not of that shape.</exception>
    public static VmDescription Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name that isn't UTF-8.
            throw new FormatException($"the description isn't JSON: {e.Message}", e);
        }
    }

    private static VmDescription Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("devices", out var devices) || devices.ValueKind != JsonValueKind.Array)
            throw new FormatException("the description has no list of devices");
        VmStructure? configuration = root.TryGetProperty("configuration", out var node) ? VmStructure.Read(node) : null;
        int? pageSize = root.TryGetProperty("page_size", out var size) && size.TryGetInt32(out var bytes) ? bytes : null;
        var list = new List<VmStructure>(devices.GetArrayLength());
        foreach (var device in devices.EnumerateArray())
            list.Add(VmStructure.Read(device));
        return new VmDescription(pageSize, configuration, list);
    }
}
