using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>
/// The static dump of declarations, which tells without a machine whether two versions can read each other
/// (QEMU: <c>-dump-vmstate</c>, migration/savevm.c; scripts/vmstate-static-checker.py compares two).
/// </summary>
public static class VmStateDump
{
    /// <summary>Writes the properties of a device into the object that <paramref name="dump"/> stands in.</summary>
    /// <param name="type">QEMU's type of the device.</param>
    public static void WriteDevice<T>(string type, VmStateDescription<T> description, Utf8JsonWriter dump)
    {
        dump.WriteStartObject(type);
        dump.WriteString("Name", type);
        dump.WriteNumber("version_id", description.Version);
        dump.WriteNumber("minimum_version_id", description.QemuMinimumVersion ?? description.MinimumVersion);
        dump.WriteStartObject("Description");
        Write(description, dump);
        dump.WriteEndObject();
        dump.WriteEndObject();
    }

    internal static void Write<T>(VmStateDescription<T> description, Utf8JsonWriter dump)
    {
        dump.WriteString("name", description.Name);
        dump.WriteNumber("version_id", description.Version);
        dump.WriteNumber("minimum_version_id", description.QemuMinimumVersion ?? description.MinimumVersion);
        dump.WriteStartArray("Fields");
        foreach (var field in description.Fields)
        {
            dump.WriteStartObject();
            dump.WriteString("field", field.Name);
            // What has been there ever since the oldest version that QEMU takes needs no version there.
            dump.WriteNumber("version_id", field.SinceVersion <= description.QemuMinimumVersion ? 0 : field.SinceVersion);
            dump.WriteBoolean("field_exists", field.IsConditional);
            if (field.FixedCount is { } count)
                dump.WriteNumber("num", count);
            dump.WriteNumber("size", field.HostSize);
            field.DumpInner(dump);
            dump.WriteEndObject();
        }

        dump.WriteEndArray();
        if (description.Subsections.Count == 0)
            return;
        dump.WriteStartArray("Subsections");
        foreach (var subsection in description.Subsections)
        {
            dump.WriteStartObject();
            Write(subsection, dump);
            dump.WriteEndObject();
        }

        dump.WriteEndArray();
    }
}
