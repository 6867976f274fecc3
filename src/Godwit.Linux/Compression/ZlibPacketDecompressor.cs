using System.Runtime.InteropServices;

namespace Godwit.Linux.Compression;

/// <summary>By zlib.</summary>
public sealed unsafe class ZlibPacketDecompressor : PacketDecompressor
{
    private Zlib.State* _state;

    public ZlibPacketDecompressor()
    {
        _state = Zlib.Allocate();
        if (Zlib.InflateInit(_state) is not Zlib.Ok and var result)
            throw new IOException(Zlib.Message(_state, result));
    }

    public override int Take(ReadOnlySpan<byte> packet, Span<byte> page)
    {
        ObjectDisposedException.ThrowIf(_state == null, this);

        // Sound: both stay where they are until the call returns, and the library goes by their lengths.
        fixed (byte* from = packet, to = page)
        {
            _state->NextIn = from;
            _state->AvailableIn = (uint)packet.Length;
            _state->NextOut = to;
            _state->AvailableOut = (uint)page.Length;
            while (_state->AvailableOut > 0)
            {
                var result = Zlib.inflate(_state, Zlib.NoFlush);
                if (result == Zlib.BufferError || (result == Zlib.Ok && _state->AvailableOut > 0 && _state->AvailableIn == 0))
                    throw new InvalidDataException("zlib: the packet ends within a page");
                if (result != Zlib.Ok)
                    throw new InvalidDataException(Zlib.Message(_state, result));
            }

            return packet.Length - (int)_state->AvailableIn;
        }
    }

    protected override void Free()
    {
        if (_state == null)
            return;
        _ = Zlib.inflateEnd(_state);
        NativeMemory.Free(_state);
        _state = null;
    }
}
