using Godwit.Migration.Channels;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

/// <summary>The source's end of the return path: a thread that reads until the destination says how it went.</summary>
public sealed class ReturnPathListener
{
    private readonly Channel _channel;
    private readonly Action? _ended;
    private readonly Action? _acknowledged;
    private readonly Thread _thread;
    private Exception? _failure;
    private uint? _shut;
    private volatile bool _hasEnded;

    /// <param name="ended">Called on the listening thread when nothing more will come; null: nobody asks.</param>
    /// <param name="acknowledged">Called on the listening thread for each SWITCHOVER_ACK.</param>
    public ReturnPathListener(Channel channel, Action? ended = null, Action? acknowledged = null)
    {
        _channel = channel;
        _ended = ended;
        _acknowledged = acknowledged;
        _thread = new Thread(Listen) { Name = "return path", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whether the destination has said its last word, or can't any more.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Whether the destination said that it hasn't taken the guest. Of use once <see cref="HasEnded"/>.</summary>
    public bool IsRefused => _hasEnded && _shut is not (null or 0);

    /// <summary>Waits for the destination's last word.</summary>
    /// <exception cref="IOException">It failed, or went away without one.</exception>
    public void WaitForShut()
    {
        _thread.Join();
        if (_shut == 0)
            return;
        throw _shut is null
            ? new IOException($"{_channel.Name}: the destination did not say that it has the guest: {_failure?.Message ?? "it closed the connection"}", _failure)
            : new IOException($"{_channel.Name}: the destination failed (it says {_shut}); its own log tells why");
    }

    /// <summary>Waits until the thread is gone, whatever was said.</summary>
    public void Join() => _thread.Join();

    private void Listen()
    {
        try
        {
            ReadUntilShut();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or Wire.MigrationStreamException)
        {
            _failure = e;
        }

        _hasEnded = true;
        _ended?.Invoke();
    }

    private void ReadUntilShut()
    {
        var buffer = new byte[4096];
        var filled = 0;
        var offset = 0L;
        while (_shut is null)
        {
            var count = _channel.Read(buffer.AsSpan(filled));
            if (count == 0)
                return;
            filled += count;
            var taken = 0;
            int length;
            while ((length = ReturnPathMessage.Read(buffer.AsSpan(taken, filled - taken), offset, out var message)) > 0)
            {
                taken += length;
                offset += length;
                if (message.Type == ReturnPathType.Shut)
                    _shut = message.Value;
                else if (message.Type == ReturnPathType.SwitchoverAck)
                    _acknowledged?.Invoke();
            }

            buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
            filled -= taken;
        }
    }
}
