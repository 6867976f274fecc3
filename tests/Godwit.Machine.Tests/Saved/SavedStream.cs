using Godwit.Memory;
using Godwit.Testing;
using Godwit.Wire.Stream;
using Godwit.Wire.VmState;

namespace Godwit.Machine.Tests.Saved;

/// <summary>A section of a captured machine.</summary>
/// <param name="Start">Of its body in the stream.</param>
internal sealed record SavedSection(VmStructure Device, int Start, byte[] Body)
{
    public string Label => $"{Device.Name}/{Device.InstanceId}";
}

/// <summary>A byte of a section that is to become another.</summary>
internal sealed record SavedChange(SavedSection Section, int At, byte Value)
{
    public override string ToString() => $"{Section.Label}, byte {At}: {Section.Body[At]:x2} became {Value:x2}";
}

/// <summary>A machine that QEMU sent, with no page of memory but those that hold something: small, and as good as the whole.</summary>
internal sealed class SavedStream
{
    public const byte Footer = (byte)SectionType.Footer;

    private SavedStream(byte[] bytes, IReadOnlyList<SavedSection> sections, IReadOnlyList<(int, ulong, byte[])> pages)
    {
        Bytes = bytes;
        Sections = sections;
        Pages = pages;
    }

    /// <summary>Up to EOF.</summary>
    public byte[] Bytes { get; }

    public IReadOnlyList<SavedSection> Sections { get; }

    public IReadOnlyList<(int Block, ulong Offset, byte[] Bytes)> Pages { get; }

    /// <param name="capture">One of tests/Golden, with footers and a description.</param>
    /// <param name="blocks">Of a machine that it was loaded into.</param>
    public static SavedStream Of(string capture, IReadOnlyList<RamBlock> blocks)
    {
        var pages = new List<(int, ulong, byte[])>();
        var builder = new StreamBuilder(new ConfigurationSection("virt"))
            .RamStart([.. blocks.Select(b => (b.IdStr, (int)(b.Length / StreamBuilder.PageSize)))])
            .Ram(SectionType.End);
        for (var block = 0; block < blocks.Count; block++)
        {
            for (var offset = 0UL; offset < blocks[block].Length; offset += StreamBuilder.PageSize)
            {
                var bytes = blocks[block].Read(offset, StreamBuilder.PageSize);
                if (!bytes.ContainsAnyExcept((byte)0))
                    continue;
                builder.Page(blocks[block].IdStr, (int)(offset / StreamBuilder.PageSize), bytes.ToArray());
                pages.Add((block, offset, bytes.ToArray()));
            }
        }

        builder.Eos();
        var sections = new List<SavedSection>();
        foreach (var saved in SavedDevices.Of(Golden.Stream(capture)))
        {
            var device = saved.Structure;
            var header = new SectionHeader(SectionType.Full, (uint)sections.Count + 10, device.Name, device.InstanceId, (uint)device.Version!.Value);
            builder.Write((ref Wire.WireWriter w) => header.Write(ref w));
            sections.Add(new SavedSection(device, (int)builder.Length, saved.Body));
            builder.Raw(saved.Body).Write((ref Wire.WireWriter w) => header.WriteFooter(ref w));
        }

        return new SavedStream(builder.Raw((byte)SectionType.Eof).ToArray(), sections, pages);
    }
}
