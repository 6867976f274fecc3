using System.Buffers;
using System.Text.Json;
using Godwit.Wire.VmState;

namespace Godwit.Migration;

/// <summary>A device's section by its declaration.</summary>
/// <param name="idStr">The section's name; often the declaration's.</param>
/// <param name="instanceId">Tells devices of one name apart.</param>
public sealed class VmStateSection<T>(string idStr, uint instanceId, VmStateDescription<T> declaration, T device) : IDeviceSection
{
    public string IdStr => idStr;

    public uint InstanceId => instanceId;

    public VmStateDescription<T> Declaration => declaration;

    public T Device => device;

    public uint Version => declaration.Version;

    public uint MinimumVersion => declaration.MinimumVersion;

    public bool IsNeeded => declaration.IsNeeded(device);

    public void Save(IBufferWriter<byte> body, Utf8JsonWriter description)
    {
        description.WriteStartObject();
        description.WriteString("name", IdStr);
        description.WriteNumber("instance_id", InstanceId);
        declaration.Save(device, body, description);
        description.WriteEndObject();
    }

    public int Load(ReadOnlySpan<byte> body, uint version, long offset) => declaration.Load(body, version, device, $"{IdStr}/{InstanceId}", offset);
}
