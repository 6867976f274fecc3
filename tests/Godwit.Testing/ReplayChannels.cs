using Godwit.Archive.Receive;
using Godwit.Migration.Channels;
using Godwit.Wire.Multifd;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Plays all channels of a source over real sockets into the receiver.</summary>
public static class ReplayChannels
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="order">In which the channels connect; -1 is the main one; null: the main one first.</param>
    /// <param name="slower">The channel whose packets come when all others' bytes have; null: none.</param>
    public static (ReceiveSummary? Summary, Exception? Error, List<ReturnPathMessage> Answers) Receive(
        byte[] main, IReadOnlyList<byte[]> channels, string path, ReceiveOptions? options = null, int[]? order = null, int? slower = null)
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        ReceiveSummary? summary = null;
        Exception? error = null;
        var receiving = new Thread(() =>
        {
            try
            {
                summary = Receiver.Receive(listener, path, options ?? new ReceiveOptions(), new ReceiveProgress(), CancellationToken.None);
            }
            catch (Exception e)
            {
                error = e;
            }
        });
        receiving.Start();
        order ??= [-1, .. Enumerable.Range(0, channels.Count)];
        var answers = new List<byte>();
        var opened = new List<Channel>();
        var threads = new List<Thread>();
        var writers = new List<Thread>();
        foreach (var id in order)
        {
            var channel = ChannelConnector.Connect(listener.Address, returnPath: true);
            opened.Add(channel);
            if (id < 0)
                threads.Add(new Thread(() => SourceEnd.Collect(channel, answers)));
            writers.Add(new Thread(() =>
            {
                var bytes = id < 0 ? main : channels[id];
                if (id == slower)
                {
                    SourceEnd.Write(channel, bytes[..MultifdHandshake.Length], MultifdHandshake.Length, close: false);
                    SpinWait.SpinUntil(() => writers.Count(t => t.IsAlive) == 1, Limit);
                    bytes = bytes[MultifdHandshake.Length..];
                }

                SourceEnd.Write(channel, bytes, 1 << 16, close: true);
            }));
        }

        // A source says nothing before it has connected all.
        threads.ForEach(t => t.Start());
        writers.ForEach(t => t.Start());
        writers.ForEach(t => t.Join());
        if (!receiving.Join(Limit))
            throw new TimeoutException("the receive doesn't end");
        opened.ForEach(c => c.Shutdown());
        threads.ForEach(t => t.Join());
        opened.ForEach(c => c.Dispose());
        return (summary, error, SourceEnd.Messages([.. answers]));
    }
}
