using System.Buffers.Binary;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>What a mapped-ram file holds: the plainest reading of it, to compare others with.</summary>
public sealed class MappedModel
{
    /// <summary>Pages by their place; an empty one is zero.</summary>
    public SortedDictionary<(string Block, ulong Offset), byte[]> Pages { get; } = [];

    /// <summary>Pages whose bit is set.</summary>
    public int Stored { get; private set; }

    /// <summary>Bytes after guest memory's END section.</summary>
    public byte[] Devices { get; private set; } = [];

    /// <param name="offset">Bytes from the start of the file to the start of the stream.</param>
    public static MappedModel Read(byte[] file, int offset = 0)
    {
        var model = new MappedModel();
        var reader = new MigrationStreamReader(StreamReadMode.HeadersOnly) { FileOffset = offset };
        var at = offset;
        while (at < file.Length && reader.Read(file.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            if (element.Kind == StreamElementKind.RamBlock)
                model.Take(file, element.Block!);
            var ends = element.Kind == StreamElementKind.SectionFooter || (element.Kind == StreamElementKind.RamControl && reader.HasFooters == false);
            if (!ends || reader.Section is not { IsRam: true, Type: SectionType.End })
                continue;
            model.Devices = file[at..];
            break;
        }

        return model;
    }

    private void Take(byte[] file, RamBlock block)
    {
        var mapped = block.Mapped!.Value;
        var bitmap = file.AsSpan((int)mapped.BitmapOffset, (int)mapped.BitmapLength(block.Length));
        for (var page = 0; page < (int)(block.Length / mapped.PageSize); page++)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bitmap[(page / 64 * 8)..]);
            var offset = (ulong)page * mapped.PageSize;
            byte[] bytes = [];
            if ((word >> (page % 64) & 1) != 0)
            {
                Stored++;
                bytes = file.AsSpan((int)(mapped.PagesOffset + offset), (int)mapped.PageSize).ToArray();
            }

            Pages[(block.Name, offset)] = bytes.AsSpan().ContainsAnyExcept((byte)0) ? bytes : [];
        }
    }
}
