using Godwit.Migration.Channels;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>What a source does at its end of a connection, when a destination plays its part or breaks off.</summary>
public static class SourceEnd
{
    /// <param name="step">Bytes a write.</param>
    /// <param name="close">Whether nothing follows.</param>
    public static void Write(Channel channel, byte[] stream, int step, bool close)
    {
        try
        {
            for (var at = 0; at < stream.Length; at += step)
                channel.Write(stream.AsSpan(at, Math.Min(step, stream.Length - at)));
            if (close)
                channel.CloseWrite();
        }
        catch (IOException)
        {
            // The destination has hung up: its error tells.
        }
    }

    /// <summary>Collects what the destination says until it hangs up.</summary>
    public static void Collect(Channel channel, List<byte> answers)
    {
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = channel.Read(buffer)) > 0)
                answers.AddRange(buffer.AsSpan(0, count));
        }
        catch (IOException)
        {
            // Hung up with bytes unread.
        }
    }

    public static List<ReturnPathMessage> Messages(ReadOnlySpan<byte> answers)
    {
        var messages = new List<ReturnPathMessage>();
        int at = 0, taken;
        while ((taken = ReturnPathMessage.Read(answers[at..], at, out var message)) > 0)
        {
            messages.Add(message);
            at += taken;
        }

        return messages;
    }
}
