using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive;

/// <summary>Reads the elements of a stream out of a file, stepping over what the reader doesn't want to see.</summary>
public sealed class StreamFileReader
{
    private const int FirstLook = 4096;

    private readonly StreamFile _file;

    public StreamFileReader(StreamFile file, MigrationStreamReader reader)
    {
        _file = file;
        Reader = reader;
    }

    public MigrationStreamReader Reader { get; }

    /// <summary>The next element.</summary>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="MigrationStreamException">The stream is malformed or ends too early.</exception>
    public bool TryNext(out StreamElement element)
    {
        var at = Reader.Offset;
        var minimum = FirstLook;
        while (true)
        {
            var window = _file.Window(at, minimum);
            if (Reader.Read(window, at + window.Length >= _file.Length, out element, out var needed))
            {
                if (element.Offset + element.Length > _file.Length)
                    throw Truncated(element);
                return true;
            }

            if (needed <= window.Length || at + window.Length >= _file.Length)
                return false;
            minimum = needed;
        }
    }

    /// <summary>Steps over a run of pages: see <see cref="MigrationStreamReader.SkipPages"/>.</summary>
    public int SkipPages(out RamBlock? block, out ulong first) =>
        Reader.SkipPages(_file.Window(Reader.Offset, FirstLook), _file.Length - Reader.Offset, out block, out first);

    private MigrationStreamException Truncated(in StreamElement element)
    {
        var (section, field) = element.Kind switch
        {
            StreamElementKind.RamPage => ("ram", $"page 0x{element.PageOffset:x} of block '{element.Block!.Name}'"),
            StreamElementKind.VmDescriptionData => ("description", "JSON"),
            _ => (Reader.Section?.Label ?? "stream", "body"),
        };
        var missing = element.Offset + element.Length - _file.Length;
        return new MigrationStreamException(_file.Length, section, field, $"the stream ends here, {missing} bytes too early");
    }
}
