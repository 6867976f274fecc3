using System.Runtime.InteropServices;

namespace Godwit.Linux.Compression;

/// <summary>By zlib.</summary>
public sealed unsafe class ZlibPacketCompressor : PacketCompressor
{
    private readonly byte[] _copy;
    private Zlib.State* _state;

    /// <param name="level">0 to 9.</param>
    /// <param name="pageSize">Bytes of the longest page.</param>
    public ZlibPacketCompressor(int level, int pageSize)
    {
        _copy = new byte[pageSize];
        _state = Zlib.Allocate();
        if (Zlib.DeflateInit(_state, level) is not Zlib.Ok and var result)
            throw new IOException(Zlib.Message(_state, result));
    }

    public override int Add(ReadOnlySpan<byte> page, Span<byte> destination, bool last)
    {
        ObjectDisposedException.ThrowIf(_state == null, this);

        // The guest may write to the page meanwhile, and zlib must not see it change.
        page.CopyTo(_copy);

        // Sound: both stay where they are until the call returns, and the library goes by their lengths.
        fixed (byte* from = _copy, to = destination)
        {
            _state->NextIn = from;
            _state->AvailableIn = (uint)page.Length;
            _state->NextOut = to;
            _state->AvailableOut = (uint)destination.Length;
            var result = Zlib.deflate(_state, last ? Zlib.SyncFlush : Zlib.NoFlush);
            if (result != Zlib.Ok)
                throw new InvalidOperationException(Zlib.Message(_state, result));
            if (_state->AvailableIn > 0 || _state->AvailableOut == 0)
                throw new InvalidOperationException("zlib: the packet is too short for its pages");
            return destination.Length - (int)_state->AvailableOut;
        }
    }

    protected override void Free()
    {
        if (_state == null)
            return;
        _ = Zlib.deflateEnd(_state);
        NativeMemory.Free(_state);
        _state = null;
    }
}
