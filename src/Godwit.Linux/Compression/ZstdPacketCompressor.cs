namespace Godwit.Linux.Compression;

/// <summary>By Zstandard.</summary>
public sealed unsafe class ZstdPacketCompressor : PacketCompressor
{
    private nint _stream;

    /// <param name="level">0 to 20; 0 is the library's own.</param>
    public ZstdPacketCompressor(int level)
    {
        _stream = Zstd.ZSTD_createCStream();
        if (_stream == 0)
            throw new IOException("zstd: no memory for a compressor");
        Zstd.Check(Zstd.ZSTD_initCStream(_stream, level));
    }

    public override int Add(ReadOnlySpan<byte> page, Span<byte> destination, bool last)
    {
        ObjectDisposedException.ThrowIf(_stream == 0, this);

        // Sound: both stay where they are until the call returns, and the library goes by their lengths. It copies the page before it works on it, so
        // that a guest may write meanwhile.
        fixed (byte* from = page, to = destination)
        {
            var input = new Zstd.Buffer { Address = from, Size = (nuint)page.Length };
            var output = new Zstd.Buffer { Address = to, Size = (nuint)destination.Length };
            while (true)
            {
                var left = Zstd.Check(Zstd.ZSTD_compressStream2(_stream, &output, &input, last ? Zstd.Flush : Zstd.Continue));
                if (input.Position == input.Size && (!last || left == 0))
                    return (int)output.Position;
                if (output.Position == output.Size)
                    throw new InvalidOperationException("zstd: the packet is too short for its pages");
            }
        }
    }

    protected override void Free()
    {
        _ = Zstd.ZSTD_freeCStream(_stream);
        _stream = 0;
    }
}
