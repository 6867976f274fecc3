using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Wire.VmState;

namespace Godwit.Wire.Tests.Declarations;

/// <summary>A declaration's ways in and out, for tests of declarations.</summary>
internal static class Saving
{
    public const string Label = "device/0";

    /// <summary>Where the section's body stands in the stream.</summary>
    public const long Offset = 1000;

    public static byte[] Save<T>(this VmStateDescription<T> declaration, T state)
    {
        var body = new ArrayBufferWriter<byte>();
        declaration.Save(state, body, null);
        return body.WrittenSpan.ToArray();
    }

    /// <summary>What it tells of itself at the end of a stream.</summary>
    public static JsonObject Describe<T>(this VmStateDescription<T> declaration, T state)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            declaration.Save(state, new ArrayBufferWriter<byte>(), json);
            json.WriteEndObject();
        }

        return JsonNode.Parse(text.WrittenSpan)!.AsObject();
    }

    public static int Load<T>(this VmStateDescription<T> declaration, ReadOnlySpan<byte> body, T state, uint? version = null) =>
        declaration.Load(body, version ?? declaration.Version, state, Label, Offset);

    /// <summary>Has to be refused, at a byte of the body.</summary>
    public static void Refuses<T>(this VmStateDescription<T> declaration, byte[] body, T state, int at, string field, string reason, uint? version = null)
    {
        var error = Assert.Throws<MigrationStreamException>(() => declaration.Load(body, state, version));
        Assert.Equal((Label, field, Offset + at), (error.Section, error.Field, error.Offset));
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    /// <summary>However many bytes have come: fewer than all ask for more, and what follows the section is left.</summary>
    public static void LoadsOnlyWhole<T>(this VmStateDescription<T> declaration, byte[] body, Func<T> fresh, uint? version = null)
    {
        // One state takes all attempts, as in a stream that comes byte by byte.
        var state = fresh();
        for (var length = 0; length < body.Length; length++)
        {
            Assert.Equal(-1, declaration.Load(body.AsSpan(0, length), fresh(), version));
            Assert.Equal(-1, declaration.Load(body.AsSpan(0, length), state, version));
        }

        Assert.Equal(body.Length, declaration.Load([.. body, 0x7e], state, version));
        Assert.Equal(body.Length, declaration.Load([.. body, 0x7e, 1, 2, 3], fresh(), version));
    }
}
