namespace Godwit.Linux.Compression;

/// <summary>By Zstandard.</summary>
public sealed unsafe class ZstdPacketDecompressor : PacketDecompressor
{
    private nint _stream;

    public ZstdPacketDecompressor()
    {
        _stream = Zstd.ZSTD_createDStream();
        if (_stream == 0)
            throw new IOException("zstd: no memory for a decompressor");
        Zstd.Check(Zstd.ZSTD_initDStream(_stream));
    }

    public override int Take(ReadOnlySpan<byte> packet, Span<byte> page)
    {
        ObjectDisposedException.ThrowIf(_stream == 0, this);

        // Sound: both stay where they are until the call returns, and the library goes by their lengths.
        fixed (byte* from = packet, to = page)
        {
            var input = new Zstd.Buffer { Address = from, Size = (nuint)packet.Length };
            var output = new Zstd.Buffer { Address = to, Size = (nuint)page.Length };
            while (output.Position < output.Size)
            {
                var before = (input.Position, output.Position);
                Zstd.Check(Zstd.ZSTD_decompressStream(_stream, &output, &input));
                if (before == (input.Position, output.Position))
                    throw new InvalidDataException("zstd: the packet ends within a page");
            }

            return (int)input.Position;
        }
    }

    protected override void Free()
    {
        _ = Zstd.ZSTD_freeDStream(_stream);
        _stream = 0;
    }
}
