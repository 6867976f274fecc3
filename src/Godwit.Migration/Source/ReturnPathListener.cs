using Godwit.Migration.Channels;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

/// <summary>The source's end of the return path: a thread that reads until the destination says how it went.</summary>
public sealed class ReturnPathListener
{
    private readonly Channel _channel;
    private readonly Thread _thread;
    private Exception? _failure;
    private uint? _shut;

    public ReturnPathListener(Channel channel)
    {
        _channel = channel;
        _thread = new Thread(Listen) { Name = "return path", IsBackground = true };
        _thread.Start();
    }

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

    private void Listen()
    {
        var buffer = new byte[4096];
        var filled = 0;
        var offset = 0L;
        try
        {
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
                    Handle(message);
                }

                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or Wire.MigrationStreamException)
        {
            _failure = e;
        }
    }

    private void Handle(in ReturnPathMessage message)
    {
        if (message.Type == ReturnPathType.Shut)
            _shut = message.Value;
    }
}
