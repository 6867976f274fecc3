using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>What a destination's memory holds after a stream: the plainest reading of it, to compare others with.</summary>
public sealed class RamModel
{
    /// <summary>Pages by their place; an empty one is zero.</summary>
    public SortedDictionary<(string Block, ulong Offset), byte[]> Pages { get; } = [];

    /// <summary>Items that came for each page.</summary>
    public Dictionary<(string Block, ulong Offset), int> Versions { get; } = [];

    /// <summary>Bytes after guest memory's END section.</summary>
    public byte[] Devices { get; private set; } = [];

    public static RamModel Read(byte[] stream)
    {
        var model = new RamModel();
        var reader = new MigrationStreamReader();
        var at = 0;
        while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            if (element.Kind == StreamElementKind.RamPage)
                model.Take(element);
            var ends = element.Kind == StreamElementKind.SectionFooter || (element.Kind == StreamElementKind.RamControl && reader.HasFooters == false);
            if (!ends || !reader.Section!.IsRam || reader.Section.Type != SectionType.End)
                continue;
            model.Devices = stream[at..];
            break;
        }

        return model;
    }

    private void Take(in StreamElement element)
    {
        var key = (element.Block!.Name, element.PageOffset);
        var page = new byte[1 << element.PageBits];
        if (element.Flags.HasFlag(RamFlags.Xbzrle))
            Pages[key].CopyTo(page, 0);
        if (element.Flags.HasFlag(RamFlags.Page))
            element.Payload.CopyTo(page);
        if (element.Flags.HasFlag(RamFlags.Xbzrle) && !Xbzrle.TryDecode(element.Payload, page))
            throw new InvalidOperationException("a malformed page");
        Pages[key] = page.AsSpan().ContainsAnyExcept((byte)0) ? page : [];
        Versions[key] = Versions.GetValueOrDefault(key) + 1;
    }
}
