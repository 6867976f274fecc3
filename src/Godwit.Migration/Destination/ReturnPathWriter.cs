using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>The destination's end of the return path.</summary>
public sealed class ReturnPathWriter
{
    private readonly Channel _channel;

    public ReturnPathWriter(Channel channel)
    {
        _channel = channel;
    }

    /// <exception cref="IOException">The source is gone.</exception>
    public void Send(ReturnPathMessage message)
    {
        Span<byte> buffer = stackalloc byte[ReturnPathMessage.MaxLength];
        var writer = new WireWriter(buffer);
        message.Write(ref writer);
        _channel.Write(writer.Written);
    }
}
