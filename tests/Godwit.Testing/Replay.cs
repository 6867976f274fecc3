using Godwit.Archive.Receive;
using Godwit.Migration.Channels;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Plays a source over a real socket into the receiver, and keeps what the receiver answers.</summary>
public static class Replay
{
    /// <param name="step">Bytes a write.</param>
    /// <param name="waitForShut">Keep the connection open until the receiver has said its last word, as a source with a return path does.</param>
    /// <param name="options">The receiver's; null for the defaults.</param>
    public static (ReceiveSummary? Summary, Exception? Error, List<ReturnPathMessage> Answers) Receive(byte[] stream, string path, int step = 65536, bool waitForShut = false, ReceiveOptions? options = null)
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        using var source = ChannelConnector.Connect(listener.Address, returnPath: true);
        var answers = new List<byte>();
        var reading = new Thread(() => Collect(source, answers));
        reading.Start();
        var writing = new Thread(() => Play(source, stream, step, waitForShut));
        writing.Start();
        ReceiveSummary? summary = null;
        Exception? error = null;
        using (var channel = listener.Accept(CancellationToken.None))
        {
            try
            {
                summary = Receiver.Receive(channel, path, options ?? new ReceiveOptions(), new ReceiveProgress(), CancellationToken.None);
            }
            catch (Exception e)
            {
                error = e;
            }
        }

        writing.Join();
        reading.Join();
        return (summary, error, Messages(answers));
    }

    private static void Play(Channel source, byte[] stream, int step, bool waitForShut)
    {
        try
        {
            for (var at = 0; at < stream.Length; at += step)
                source.Write(stream.AsSpan(at, Math.Min(step, stream.Length - at)));
            if (!waitForShut)
                source.CloseWrite();
        }
        catch (IOException)
        {
            // The receiver has hung up: its error tells.
        }
    }

    private static void Collect(Channel source, List<byte> answers)
    {
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = source.Read(buffer)) > 0)
                answers.AddRange(buffer.AsSpan(0, count));
        }
        catch (IOException)
        {
            // Hung up with bytes unread.
        }
    }

    private static List<ReturnPathMessage> Messages(List<byte> bytes)
    {
        var messages = new List<ReturnPathMessage>();
        var all = bytes.ToArray();
        int at = 0, taken;
        while ((taken = ReturnPathMessage.Read(all.AsSpan(at), at, out var message)) > 0)
        {
            messages.Add(message);
            at += taken;
        }

        return messages;
    }
}
