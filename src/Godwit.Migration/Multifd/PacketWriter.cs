using System.Text;
using Godwit.Linux;
using Godwit.Linux.Compression;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.Source;
using Godwit.Wire;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Multifd;

/// <summary>Writes batches as packets to a channel of its own. Source: QEMU migration/multifd-nocomp.c, multifd-zlib.c, multifd-zstd.c.</summary>
internal sealed class PacketWriter : IBatchWriter
{
    /// <summary>Packets of zero pages alone that go by one call: a guest's worth of them would be thousands of small ones.</summary>
    private const int MostKept = 32;

    private static readonly int HeaderLength = MultifdPacket.Length(GuestPage.Bits);

    private readonly Channel _channel;
    private readonly MultifdHandshake _handshake;
    private readonly PacketNumbers _numbers;
    private readonly RamCounters _counters;
    private readonly GatherBuffer _gather;
    private readonly PacketCompressor? _compressor;
    private readonly MultifdFlags _compression;
    private readonly byte[] _packet;
    private readonly bool _zeroCopy;
    private RamBlock? _block;
    private byte[] _blockName = [];
    private int _kept;
    private long _bytes;

    /// <param name="channel">Goes with this.</param>
    /// <param name="numbers">The same for all channels.</param>
    /// <exception cref="IOException">Zero copy is wanted, and the channel can't.</exception>
    public PacketWriter(Channel channel, MultifdHandshake handshake, PacketNumbers numbers, RamCounters counters, Parameters parameters, bool zeroCopy)
    {
        _channel = channel;
        _handshake = handshake;
        _numbers = numbers;
        _counters = counters;
        _zeroCopy = zeroCopy;
        if (zeroCopy && !channel.TryUseZeroCopy())
        {
            channel.Dispose();
            throw new IOException("Zero copy send feature not detected in host kernel");
        }

        _gather = new GatherBuffer();
        (_compressor, _compression) = PacketCompression.Create(parameters, GuestPage.Size);
        _packet = new byte[HeaderLength + (_compressor is null ? 0 : MultifdPacket.MaxCompressed)];
    }

    public string Name => $"multifd channel {_handshake.Id}";

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Says which channel it is, before anything else. To be done before the next channel is connected: over TLS, QEMU's main thread reads this before it
    /// looks at another handshake.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public void Begin()
    {
        var writer = new WireWriter(_packet);
        _handshake.Write(ref writer);
        _channel.Write(writer.Written);
        Count(writer.Position);
    }

    public void Write(PageBatch batch)
    {
        if (_block != batch.Block)
        {
            _block = batch.Block!;
            _blockName = Encoding.ASCII.GetBytes(_block.IdStr);
        }

        if (batch.Pages.IsEmpty)
            Keep(batch);
        else if (_compressor is not null)
            WriteCompressed(batch);
        else if (_zeroCopy)
            WriteZeroCopy(batch);
        else
            WritePlain(batch);
    }

    public void Flush()
    {
        var length = _gather.Length;
        if (length == 0)
            return;
        _channel.Write(_gather);
        _gather.Clear();
        _kept = 0;
        Count(length);
    }

    public void Synchronize(bool remote)
    {
        if (remote)
        {
            MultifdPacket.Write(_gather.Scratch(HeaderLength), GuestPage.Bits, MultifdFlags.Sync, _numbers.Next(), [], [], [], 0);
            _gather.Copied(HeaderLength);
        }

        Flush();
        if (_zeroCopy && !_channel.FlushZeroCopy())
            Interlocked.Increment(ref _counters.MissedZeroCopy);
    }

    public void End() => _channel.CloseWrite();

    public void Shutdown() => _channel.Shutdown();

    public void Dispose()
    {
        _channel.Dispose();
        _compressor?.Dispose();
        _gather.Dispose();
    }

    private void Keep(PageBatch batch)
    {
        AddHeader(batch);
        if (++_kept == MostKept)
            Flush();
    }

    private void WritePlain(PageBatch batch)
    {
        AddHeader(batch);
        AddPages(batch);
        Flush();
    }

    /// <summary>The header goes as a copy: it is overwritten before the kernel has sent it.</summary>
    private void WriteZeroCopy(PageBatch batch)
    {
        AddHeader(batch);
        Flush();
        AddPages(batch);
        var length = _gather.Length;
        _channel.WriteZeroCopy(_gather);
        _gather.Clear();
        Count(length);
    }

    private void WriteCompressed(PageBatch batch)
    {
        Flush();
        var length = 0;
        for (var i = 0; i < batch.Pages.Length; i++)
        {
            var page = batch.Block!.Read(batch.Pages[i], GuestPage.Size);
            length += _compressor!.Add(page, _packet.AsSpan(HeaderLength + length), last: i == batch.Pages.Length - 1);
        }

        WriteHeader(_packet, batch, length);
        _channel.Write(_packet.AsSpan(0, HeaderLength + length));
        Count(HeaderLength + length);
    }

    private void AddHeader(PageBatch batch)
    {
        WriteHeader(_gather.Scratch(HeaderLength), batch, batch.Pages.Length * GuestPage.Size);
        _gather.Copied(HeaderLength);
    }

    private void AddPages(PageBatch batch)
    {
        foreach (var offset in batch.Pages)
            batch.Block!.AddTo(_gather, offset, GuestPage.Size);
    }

    private void WriteHeader(Span<byte> header, PageBatch batch, int dataLength) =>
        MultifdPacket.Write(header, GuestPage.Bits, _compression, _numbers.Next(), _blockName, batch.Pages, batch.Zeros, dataLength);

    private void Count(long bytes) => Volatile.Write(ref _bytes, _bytes + bytes);
}
