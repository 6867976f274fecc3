using System.Diagnostics;
using Godwit.Migration.Channels;
using Godwit.Migration.Source;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Send;

/// <param name="BytesSent">Bytes that went over all channels.</param>
/// <param name="Confirmed">Whether the destination said that it has the guest; it does only over a return path.</param>
public sealed record SendSummary(long BytesSent, bool Confirmed, TimeSpan Elapsed);

/// <summary>Plays a file into a destination that waits for it.</summary>
public sealed class Sender : IDisposable
{
    private const uint FirstPing = 1;

    private readonly StreamPlayer _player;
    private readonly Channel _channel;
    private readonly ItemSink _main;
    private readonly MultifdSink? _multifd;
    private readonly ReturnPathListener? _listener;
    private long _sent;

    private Sender(StreamFile file, Channel channel, Func<Channel> connect, SendOptions options, Action<long> played)
    {
        _channel = channel;
        _player = new StreamPlayer(file, options.PageSize) { Played = played };
        _main = new ItemSink(Write);
        if (options.ReturnPath && !channel.IsBidirectional)
            throw new IOException($"{channel.Name} has no way back; send without return path");
        if (options.Multifd is { } parameters)
        {
            var bits = StreamPlayer.FindPageBits(file, options.PageSize) ?? MigrationStreamReader.DefaultPageBits;
            _multifd = new MultifdSink(_main, connect, bits, parameters);
        }

        if (options.ReturnPath)
            _listener = new ReturnPathListener(channel);
    }

    /// <param name="file">A stream, or a mapped-ram file.</param>
    /// <param name="connect">Opens a channel for pages, with multifd.</param>
    /// <param name="played">Told, now and then, how far into the file it is.</param>
    /// <exception cref="MigrationStreamException">The file is no migration stream.</exception>
    /// <exception cref="IOException">The connection failed, or the destination did.</exception>
    /// <exception cref="NotSupportedException">The file has what can't be sent so.</exception>
    public static SendSummary Send(StreamFile file, Channel channel, Func<Channel> connect, SendOptions options, Action<long> played, CancellationToken cancellation)
    {
        using var sender = new Sender(file, channel, connect, options, played);
        using var registration = cancellation.Register(sender.Shutdown);
        try
        {
            return sender.Run();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw sender.Explain(e);
        }
    }

    public void Dispose() => _multifd?.Dispose();

    private SendSummary Run()
    {
        var watch = Stopwatch.StartNew();
        _player.PlayHead(_main);
        if (_listener is not null)
            OpenReturnPath();
        if (_multifd is not null)
            _player.PlayPages(_multifd);
        else if (_player.IsMapped)
            _player.PlayPages(_main);
        else
            _player.PlayRest(_main);
        _multifd?.Complete();
        if (_listener is null)
            _channel.CloseWrite();
        else
            _listener.WaitForShut();
        _channel.WaitForPeer();
        return new SendSummary(_sent + (_multifd?.Bytes ?? 0), _listener is not null, watch.Elapsed);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _channel.Write(bytes);
        _sent += bytes.Length;
    }

    private void Shutdown()
    {
        _channel.Shutdown();
        _multifd?.Shutdown();
    }

    /// <summary>A destination that fails closes the connection; what it said before tells more than the broken pipe.</summary>
    private IOException Explain(Exception broken)
    {
        Shutdown();
        try
        {
            _listener?.WaitForShut();
        }
        catch (IOException told)
        {
            return told;
        }

        return broken as IOException ?? new IOException(broken.Message, broken);
    }

    private void OpenReturnPath()
    {
        Span<byte> buffer = stackalloc byte[(2 * Command.HeaderLength) + 4];
        var writer = new WireWriter(buffer);
        Command.Write(ref writer, CommandType.OpenReturnPath, []);
        Command.WritePing(ref writer, FirstPing);
        _main.Write(writer.Written);
    }
}
