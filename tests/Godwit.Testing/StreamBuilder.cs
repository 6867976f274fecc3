using System.Text;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Builds streams that no QEMU here can be made to write: page after page as a test wants it, devices with bytes of its own.</summary>
public sealed class StreamBuilder
{
    public const int PageSize = 4096;

    private readonly List<byte> _bytes = [];
    private readonly byte[] _scratch = new byte[1 << 20];
    private readonly List<string> _devices = [];
    private readonly SectionHeader _ram = new(SectionType.Start, 2, SectionHeader.RamName, 0, 4);
    private string? _lastBlock;

    public StreamBuilder(ConfigurationSection? configuration = null)
    {
        Write(static (ref WireWriter w) => StreamHeader.Write(ref w));
        Write((ref WireWriter w) => (configuration ?? new ConfigurationSection("test")).Write(ref w));
    }

    public delegate void Writing(ref WireWriter writer);

    public long Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    public StreamBuilder Write(Writing write)
    {
        var writer = new WireWriter(_scratch);
        write(ref writer);
        _bytes.AddRange(writer.Written);
        return this;
    }

    public StreamBuilder Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public StreamBuilder Command(CommandType type, params byte[] payload) => Write((ref WireWriter w) => Godwit.Wire.Stream.Command.Write(ref w, type, payload));

    public StreamBuilder RamStart(params (string Name, int Pages)[] blocks) => Write((ref WireWriter w) =>
    {
        _ram.Write(ref w);
        RamItem.WriteMemSize(ref w, (ulong)blocks.Sum(b => (long)b.Pages * PageSize));
        foreach (var (name, pages) in blocks)
            new RamBlock(0, name, (ulong)pages * PageSize).Write(ref w);
        RamItem.WriteEos(ref w);
        _ram.WriteFooter(ref w);
    });

    /// <summary>Opens PART or END; items follow, then <see cref="Eos"/>.</summary>
    public StreamBuilder Ram(SectionType type) => Write((ref WireWriter w) => (_ram with { Type = type }).Write(ref w));

    public StreamBuilder Eos() => Write((ref WireWriter w) =>
    {
        RamItem.WriteEos(ref w);
        _ram.WriteFooter(ref w);
    });

    public StreamBuilder Page(string block, int page, byte[] bytes) => Item(block, (ref WireWriter w, string? name) =>
    {
        RamItem.WriteHeader(ref w, (ulong)page * PageSize, RamFlags.Page, name);
        w.Bytes(bytes);
    });

    public StreamBuilder ZeroPage(string block, int page) => Item(block, (ref WireWriter w, string? name) => RamItem.WriteZeroPage(ref w, (ulong)page * PageSize, name));

    public StreamBuilder XbzrlePage(string block, int page, byte[] encoded) => Item(block, (ref WireWriter w, string? name) => RamItem.WriteXbzrle(ref w, (ulong)page * PageSize, name, encoded));

    /// <summary>A device that is described as one buffer.</summary>
    public StreamBuilder Device(uint id, string name, byte[] body, bool described = true)
    {
        var header = new SectionHeader(SectionType.Full, id, name, 0, 1);
        Write((ref WireWriter w) => header.Write(ref w));
        _bytes.AddRange(body);
        Write((ref WireWriter w) => header.WriteFooter(ref w));
        if (described)
            _devices.Add($$"""{"name": "{{name}}", "instance_id": 0, "vmsd_name": "{{name}}", "version": 1, "fields": [{"name": "bytes", "type": "buffer", "size": {{body.Length}}}]}""");
        return this;
    }

    /// <summary>EOF, and the description of all devices so far.</summary>
    public StreamBuilder End()
    {
        _bytes.Add((byte)SectionType.Eof);
        return Description($$"""{"page_size": 4096, "devices": [{{string.Join(", ", _devices)}}]}""");
    }

    public StreamBuilder Description(string json)
    {
        var text = Encoding.UTF8.GetBytes(json);
        return Write((ref WireWriter w) =>
        {
            w.Byte((byte)SectionType.VmDescription);
            w.UInt32((uint)text.Length);
            w.Bytes(text);
        });
    }

    private delegate void WritingItem(ref WireWriter writer, string? name);

    private StreamBuilder Item(string block, WritingItem write)
    {
        var name = block == _lastBlock ? null : block;
        _lastBlock = block;
        return Write((ref WireWriter w) => write(ref w, name));
    }
}
