using System.Text.Encodings.Web;
using System.Text.Json;

namespace Godwit.Cli.Output;

/// <summary>One JSON object on standard output.</summary>
internal static class JsonOutput
{
    public static void Print(Action<Utf8JsonWriter> members)
    {
        using var stream = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        stream.Write("\n"u8);
    }
}
