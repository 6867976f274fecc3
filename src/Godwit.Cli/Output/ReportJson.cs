using System.Text.Json;
using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Cli.Output;

/// <summary>A stream report as JSON.</summary>
internal static class ReportJson
{
    /// <param name="decode">Sections whose fields are printed.</param>
    public static void Print(StreamFile file, StreamReport report, IReadOnlyList<SectionReport> decode) => JsonOutput.Print(writer =>
    {
        writer.WriteNumber("file-length", report.FileLength);
        WriteConfiguration(writer, report);
        writer.WriteStartArray("blocks");
        foreach (var block in report.Blocks)
            WriteBlock(writer, block);
        writer.WriteEndArray();
        writer.WriteStartArray("commands");
        foreach (var command in report.Commands)
        {
            writer.WriteStartObject();
            writer.WriteString("name", command.Name);
            writer.WriteNumber("offset", command.Offset);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("sections");
        foreach (var section in report.Sections)
            WriteSection(writer, file, section, decode.Contains(section));
        writer.WriteEndArray();
        if (report.Break is not null)
        {
            writer.WriteStartObject("break");
            WriteBreak(writer, report.Break);
            writer.WriteEndObject();
        }
    });

    public static void WriteBreak(Utf8JsonWriter writer, StreamBreak at)
    {
        writer.WriteString("section", at.Section);
        writer.WriteString("field", at.Field);
        writer.WriteNumber("offset", at.Offset);
        writer.WriteString("reason", at.Reason);
        if (at.Unsupported is not null)
            writer.WriteString("unsupported", at.Unsupported);
    }

    private static void WriteConfiguration(Utf8JsonWriter writer, StreamReport report)
    {
        writer.WriteString("machine", report.Configuration?.MachineName);
        writer.WriteNumber("page-size", report.PageSize);
        if (report.Configuration?.Capabilities is { } capabilities)
        {
            writer.WriteStartArray("capabilities");
            foreach (var capability in capabilities)
                writer.WriteStringValue(capability);
            writer.WriteEndArray();
        }

        if (report.Configuration?.Uuid is { } uuid)
            writer.WriteString("uuid", uuid);
        if (report.HasFooters is { } footers)
            writer.WriteBoolean("footers", footers);
        writer.WriteBoolean("complete", report.ReachedEof && report.Break is null);
        writer.WriteNumber("description-length", report.DescriptionLength);
    }

    private static void WriteBlock(Utf8JsonWriter writer, BlockReport block)
    {
        writer.WriteStartObject();
        writer.WriteString("name", block.Block.Name);
        writer.WriteNumber("length", block.Block.Length);
        if (block.Block.PageSize is { } pageSize)
            writer.WriteNumber("page-size", pageSize);
        if (block.Block.Address is { } address)
            writer.WriteNumber("address", address);
        writer.WriteNumber("pages", block.Pages);
        writer.WriteNumber("stored", block.Stored);
        writer.WriteNumber("zero", block.Zero);
        writer.WriteNumber("missing", block.Missing);
        writer.WriteNumber("sent-again", block.Again);
        writer.WriteNumber("bytes-in-stream", block.WireBytes);
        writer.WriteEndObject();
    }

    private static void WriteSection(Utf8JsonWriter writer, StreamFile file, SectionReport section, bool decode)
    {
        writer.WriteStartObject();
        writer.WriteString("name", section.Header.Name);
        writer.WriteNumber("instance", section.Header.InstanceId);
        writer.WriteNumber("version", section.Header.VersionId);
        writer.WriteNumber("id", section.Header.Id);
        writer.WriteString("kind", section.Header.Type == SectionType.Full ? "device" : "live");
        writer.WriteNumber("parts", section.Parts);
        writer.WriteNumber("offset", section.Offset);
        writer.WriteNumber("size", section.Length);
        writer.WriteBoolean("complete", section.IsComplete);
        writer.WriteString("end-known-by", JsonNamingPolicy.KebabCaseLower.ConvertName(section.Proof.ToString()));
        if (decode && section.Description is not null)
        {
            var decoded = DeviceDecoder.Decode(file, section);
            writer.WriteString("vmsd-name", section.Description.VmsdName);
            writer.WriteStartArray("fields");
            foreach (var value in decoded.Fields)
                WriteValue(writer, value);
            writer.WriteEndArray();
            if (decoded.Break is not null)
            {
                writer.WriteStartObject("break");
                WriteBreak(writer, decoded.Break);
                writer.WriteEndObject();
            }
        }

        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, VmValue value)
    {
        writer.WriteStartObject();
        writer.WriteString("name", value.Name);
        writer.WriteString("type", value.Type);
        writer.WriteNumber("offset", value.Offset);
        writer.WriteNumber("size", value.Length);
        if (value.Text is not null)
            writer.WriteString("value", value.Text);
        if (value.Children.Count > 0)
        {
            writer.WriteStartArray(value.IsSubsection ? "subsection" : "fields");
            foreach (var child in value.Children)
                WriteValue(writer, child);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
