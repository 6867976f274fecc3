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
        var reading = new Thread(() => SourceEnd.Collect(source, answers));
        reading.Start();
        var writing = new Thread(() => SourceEnd.Write(source, stream, step, close: !waitForShut));
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
        return (summary, error, SourceEnd.Messages([.. answers]));
    }
}
