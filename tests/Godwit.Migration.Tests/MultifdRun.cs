using System.Collections.Concurrent;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Tests;

/// <summary>A source's channels as they were: what goes over the main one, and over each multifd one by its id.</summary>
internal sealed record MultifdStream(byte[] Main, byte[][] Channels)
{
    /// <summary>What a machine sends to somebody who takes everything.</summary>
    public static MultifdStream Record(TestMachine machine, Parameters parameters)
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        using var migrator = new Migrator(machine) { Parameters = parameters };
        migrator.SetCapabilities([KeyValuePair.Create("multifd", true)]);
        migrator.Migrate(listener.Address);
        var taken = new ConcurrentBag<byte[]>();
        var threads = Enumerable.Range(0, parameters.MultifdChannels + 1).Select(_ => new Thread(() =>
        {
            using var channel = listener.Accept(CancellationToken.None);
            using var bytes = new MemoryStream();
            var buffer = new byte[1 << 16];
            while (channel.Read(buffer) is > 0 and var count)
                bytes.Write(buffer, 0, count);
            taken.Add(bytes.ToArray());
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var all = taken.ToList();
        return new MultifdStream(
            all.Single(b => b.AsSpan().StartsWith("QEVM"u8)),
            [.. all.Where(b => !b.AsSpan().StartsWith("QEVM"u8)).OrderBy(b => MultifdHandshake.Read(b.AsSpan(0, MultifdHandshake.Length)).Id)]);
    }
}

/// <summary>Plays channels into a machine's migrator, and keeps what comes of it.</summary>
internal sealed record MultifdRun(MigrationStatus Status, string Error)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="order">In which the channels connect; -1 is the main one.</param>
    /// <param name="expected">Parameter multifd-channels.</param>
    /// <param name="slower">The channel whose bytes come when all others have.</param>
    public static MultifdRun Play(IMigratableMachine machine, MultifdStream stream, int[]? order = null, int? expected = null, int? slower = null)
    {
        using var folder = new TemporaryFolder();
        using var migrator = new Migrator(machine) { Parameters = new Parameters { MultifdChannels = expected ?? stream.Channels.Length } };
        migrator.SetCapabilities([KeyValuePair.Create("multifd", true)]);
        using var ended = new BlockingCollection<MigrationStatus>();
        migrator.StatusChanged = status =>
        {
            if (status is MigrationStatus.Completed or MigrationStatus.Failed)
                ended.Add(status);
        };
        migrator.Incoming(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")), exitOnError: true);
        var address = migrator.IncomingAddress!;
        var channels = new List<Channel>();
        var threads = new List<Thread>();
        foreach (var id in order ?? [-1, .. Enumerable.Range(0, stream.Channels.Length)])
        {
            Channel channel;
            try
            {
                channel = ChannelConnector.Connect(address, returnPath: false);
            }
            catch (IOException)
            {
                // It has failed already, and listens no more.
                break;
            }

            channels.Add(channel);
            var bytes = id < 0 ? stream.Main : stream.Channels[id];
            threads.Add(new Thread(() =>
            {
                if (id == slower)
                    SpinWait.SpinUntil(() => threads.Count(t => t.IsAlive) == 1, Limit);
                SourceEnd.Write(channel, bytes, 1 << 20, close: true);
            }));
        }

        // A source says nothing before it has connected all.
        threads.ForEach(t => t.Start());

        var inTime = ended.TryTake(out var status, Limit);
        channels.ForEach(c => c.Shutdown());
        threads.ForEach(t => t.Join());
        channels.ForEach(c => c.Dispose());
        Assert.True(inTime, "the migration doesn't end");
        return new MultifdRun(status, migrator.Query().ErrorDescription ?? "");
    }
}
