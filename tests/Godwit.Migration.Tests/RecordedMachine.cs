using System.Buffers;
using System.Text.Json;
using Godwit.Memory;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Migration.Tests;

/// <summary>A machine as a captured stream has it: its blocks, empty, and a device for each section, which takes as many bytes as stand there.</summary>
internal sealed class RecordedMachine : IMigratableMachine, IDisposable
{
    private readonly List<RamBlock> _blocks = [];
    private readonly List<RecordedSection> _devices = [];

    public RecordedMachine(byte[] stream)
    {
        var reader = new MigrationStreamReader { PageBits = GuestPage.Bits, Lengths = Lengths(stream) };
        var body = new ArrayBufferWriter<byte>();
        var at = 0;
        while (reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            switch (element.Kind)
            {
                case StreamElementKind.RamBlock:
                    _blocks.Add(RamBlock.Create(element.Block!.Name, element.Block.Length));
                    break;
                case StreamElementKind.SectionData:
                    body.Write(element.Payload);
                    break;
                case StreamElementKind.SectionStart when _devices.Count > 0:
                case StreamElementKind.Eof when _devices.Count > 0:
                    _devices[^1].Expected = body.WrittenSpan.ToArray();
                    body.Clear();
                    break;
            }

            if (element.Kind == StreamElementKind.SectionStart && reader.Section!.Type == SectionType.Full)
                _devices.Add(new RecordedSection(reader.Section));
        }

        MachineType = reader.Configuration!.MachineName;
        Uuid = reader.Configuration.Uuid ?? Guid.Empty;
        IgnoresShared = reader.Configuration.Has(ConfigurationSection.IgnoreShared);
    }

    public string MachineType { get; set; }

    public Guid Uuid { get; set; }

    public bool IgnoresShared { get; }

    public IReadOnlyList<RamBlock> RamBlocks => _blocks;

    public IReadOnlyList<IDeviceSection> Devices => _devices;

    public List<RecordedSection> Sections => _devices;

    public IReadOnlyList<ILiveSection> LiveSections { get; set; } = [];

    public int Started { get; private set; }

    public int Discarded { get; private set; }

    public int Held { get; private set; }

    public bool IsGuestRunning => false;

    public void StartIncoming() => Started++;

    public void HoldIncoming() => Held++;

    public void LoseIncoming() => throw new NotSupportedException();

    public void DiscardIncoming() => Discarded++;

    public void SynchronizeWriters() => throw new NotSupportedException();

    public void Throttle(int percent) => throw new NotSupportedException();

    public void StopForSwitchover() => throw new NotSupportedException();

    public void TakeBack() => throw new NotSupportedException();

    public void HandOver() => throw new NotSupportedException();

    public void Replace(string name, ulong length)
    {
        var at = _blocks.FindIndex(b => b.IdStr == name);
        _blocks[at].Dispose();
        _blocks[at] = RamBlock.Create(name, length);
    }

    public void Remove(string name) => _blocks.RemoveAll(b => b.IdStr == name);

    public void Dispose() => _blocks.ForEach(b => b.Dispose());

    private static DescribedLengths? Lengths(byte[] stream)
    {
        for (var at = stream.Length - 7; at > 0; at--)
        {
            if (stream.AsSpan(at).StartsWith([(byte)SectionType.Eof, (byte)SectionType.VmDescription]) && stream[at + 6] == (byte)'{')
                return new DescribedLengths(VmDescription.Parse(stream.AsMemory(at + 6)));
        }

        return null;
    }

    private sealed class DescribedLengths(VmDescription description) : ISectionLengths
    {
        private int _next;

        public long? BodyLength(SectionHeader header, long bodyOffset)
        {
            var device = description.Devices[_next++];
            return device.Name == header.Name ? device.Length() : throw new InvalidOperationException($"{header.Label} isn't described");
        }
    }
}

internal sealed class RecordedSection(SectionHeader header) : IDeviceSection
{
    public string IdStr => header.Name;

    public uint InstanceId => header.InstanceId;

    public uint Version { get; set; } = header.VersionId;

    public uint MinimumVersion { get; set; } = header.VersionId;

    public bool IsNeeded => true;

    public byte[] Expected { get; set; } = [];

    public byte[]? Loaded { get; private set; }

    public void Save(IBufferWriter<byte> body, Utf8JsonWriter description) => throw new NotSupportedException();

    public int Load(ReadOnlySpan<byte> body, uint version, long offset)
    {
        if (body.Length < Expected.Length)
            return -1;
        Loaded = body[..Expected.Length].ToArray();
        return Expected.Length;
    }
}
