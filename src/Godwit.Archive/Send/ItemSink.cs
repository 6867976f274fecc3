using Godwit.Wire;
using Godwit.Wire.Ram;

namespace Godwit.Archive.Send;

/// <summary>Writes pages as items of the RAM section.</summary>
/// <param name="output">Takes the stream's bytes.</param>
internal sealed class ItemSink(ItemSink.ByteSink output) : IPageSink
{
    private const int BufferLength = 1 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
    private int _used;
    private RamBlock? _last;

    public delegate void ByteSink(ReadOnlySpan<byte> bytes);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Flush();
        output(bytes);
    }

    public void WritePages(RamBlock block, ulong offset, int pageBits, ReadOnlySpan<byte> pages)
    {
        var size = 1 << pageBits;
        for (; !pages.IsEmpty; pages = pages[size..], offset += (ulong)size)
        {
            var writer = new WireWriter(Room(size));
            RamItem.WriteHeader(ref writer, offset, RamFlags.Page, block == _last ? null : block.Name);
            writer.Bytes(pages[..size]);
            _used += writer.Position;
            _last = block;
        }
    }

    public void WriteZeros(RamBlock block, ulong offset, int pageBits, long count)
    {
        for (; count > 0; count--, offset += 1UL << pageBits)
        {
            var writer = new WireWriter(Room(1));
            RamItem.WriteZeroPage(ref writer, offset, block == _last ? null : block.Name);
            _used += writer.Position;
            _last = block;
        }
    }

    public void EndPages()
    {
        Flush();
        _last = null;
    }

    private void Flush()
    {
        if (_used > 0)
            output(_buffer.AsSpan(0, _used));
        _used = 0;
    }

    private Span<byte> Room(int payload)
    {
        if (BufferLength - _used < RamItem.MaxHeaderLength + payload)
            Flush();
        return _buffer.AsSpan(_used);
    }
}
