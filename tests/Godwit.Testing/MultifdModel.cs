using System.Text;
using Godwit.Linux.Compression;
using Godwit.Wire.Multifd;

namespace Godwit.Testing;

/// <summary>What a destination's memory holds after a stream with multifd channels: the plainest reading of it, from one SYNC of all to the next.</summary>
public static class MultifdModel
{
    /// <returns>The main stream's pages and the channels'; an empty one is zero.</returns>
    public static SortedDictionary<(string Block, ulong Offset), byte[]> Read(byte[] main, IReadOnlyList<byte[]> channels, int pageBits)
    {
        var pages = RamModel.Read(main).Pages;
        var at = channels.Select(_ => MultifdHandshake.Length).ToArray();
        PacketDecompressor?[] decompressors = new PacketDecompressor?[channels.Count];
        while (at[0] < channels[0].Length)
        {
            for (var i = 0; i < channels.Count; i++)
                Apply(channels[i], ref at[i], ref decompressors[i], pageBits, pages);
        }

        foreach (var decompressor in decompressors)
            decompressor?.Dispose();
        return pages;
    }

    private static void Apply(byte[] channel, ref int at, ref PacketDecompressor? decompressor, int pageBits, SortedDictionary<(string Block, ulong Offset), byte[]> pages)
    {
        while (at < channel.Length)
        {
            var length = MultifdPacket.Length(pageBits);
            var packet = MultifdPacket.Read(channel.AsSpan(at, length), pageBits, "channel", at);
            var data = channel.AsSpan(at + length, packet.DataLength);
            at += length + packet.DataLength;
            for (var i = 0; i < packet.NormalPages + packet.ZeroPages; i++)
            {
                var page = new byte[1 << pageBits];
                if (i < packet.NormalPages && packet.Compression == MultifdFlags.None)
                {
                    data.Slice(i << pageBits, page.Length).CopyTo(page);
                }
                else if (i < packet.NormalPages)
                {
                    decompressor ??= packet.Compression == MultifdFlags.Zlib ? new ZlibPacketDecompressor() : new ZstdPacketDecompressor();
                    data = data[decompressor.Take(data, page)..];
                }

                pages[(Encoding.ASCII.GetString(packet.BlockName), packet.Offset(i))] = page.AsSpan().ContainsAnyExcept((byte)0) ? page : [];
            }

            if (packet.IsSync)
                return;
        }
    }
}
