using System.Diagnostics;
using Godwit.Migration.Channels;
using Godwit.Migration.Source;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Send;

/// <param name="BytesSent">Bytes that went over the channel.</param>
/// <param name="Confirmed">Whether the destination said that it has the guest; it does only over a return path.</param>
public sealed record SendSummary(long BytesSent, bool Confirmed, TimeSpan Elapsed);

/// <summary>Plays a captured stream into a destination that waits for it.</summary>
public static class Sender
{
    private const int ChunkLength = 1 << 20;
    private const uint FirstPing = 1;

    /// <param name="file">The stream.</param>
    /// <param name="returnPath">Open a return path, and wait until the destination says that it has the guest.</param>
    /// <param name="sent">Told the bytes sent, now and then.</param>
    /// <exception cref="MigrationStreamException">The file is no migration stream.</exception>
    /// <exception cref="IOException">The connection failed, or the destination did.</exception>
    public static SendSummary Send(StreamFile file, Channel channel, bool returnPath, Action<long> sent, CancellationToken cancellation)
    {
        using var registration = cancellation.Register(channel.Shutdown);
        var watch = Stopwatch.StartNew();
        ReturnPathListener? listener = null;
        try
        {
            var (head, end) = Layout(file);
            if (returnPath)
            {
                if (!channel.IsBidirectional)
                    throw new IOException($"{channel.Name} has no way back; send without return path");
                listener = new ReturnPathListener(channel);
            }

            var total = Copy(file, channel, 0, head, 0, sent);
            if (returnPath)
                total += OpenReturnPath(channel);
            total += Copy(file, channel, head, end, total, sent);
            if (listener is null)
                channel.CloseWrite();
            else
                listener.WaitForShut();
            channel.WaitForPeer();
            return new SendSummary(total, listener is not null, watch.Elapsed);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Explain(e, listener, channel);
        }
    }

    /// <summary>A destination that fails closes the connection; what it said before tells more than the broken pipe.</summary>
    private static IOException Explain(Exception broken, ReturnPathListener? listener, Channel channel)
    {
        channel.Shutdown();
        try
        {
            listener?.WaitForShut();
        }
        catch (IOException told)
        {
            return told;
        }

        return broken as IOException ?? new IOException(broken.Message, broken);
    }

    /// <returns>Bytes before the first element that may follow an OPEN_RETURN_PATH command, and bytes of the file.</returns>
    private static (long Head, long End) Layout(StreamFile file)
    {
        var reader = new StreamFileReader(file, new MigrationStreamReader(StreamReadMode.HeadersOnly));
        var head = 0L;
        while (reader.TryNext(out var element) && element.Kind is StreamElementKind.Header or StreamElementKind.Configuration)
            head = element.Offset + element.Length;
        if (reader.Reader.Configuration?.Has(ConfigurationSection.MappedRam) ?? false)
            throw new MigrationStreamException(head, "configuration", ConfigurationSection.MappedRam, "the file has its pages at fixed places and can't be sent as a stream") { Unsupported = ConfigurationSection.MappedRam };
        return (head, file.Length);
    }

    private static long OpenReturnPath(Channel channel)
    {
        Span<byte> buffer = stackalloc byte[(2 * Command.HeaderLength) + 4];
        var writer = new WireWriter(buffer);
        Command.Write(ref writer, CommandType.OpenReturnPath, []);
        Command.WritePing(ref writer, FirstPing);
        channel.Write(writer.Written);
        return writer.Position;
    }

    private static long Copy(StreamFile file, Channel channel, long from, long to, long before, Action<long> sent)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(ChunkLength);
        var at = from;
        while (at < to)
        {
            var count = file.Read(at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - at)));
            if (count == 0)
                throw new IOException("the file became shorter while it was sent");
            channel.Write(buffer.AsSpan(0, count));
            at += count;
            sent(before + at - from);
        }

        return at - from;
    }
}
