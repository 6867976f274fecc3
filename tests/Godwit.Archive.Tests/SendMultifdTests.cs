using Godwit.Archive.Receive;
using Godwit.Archive.Send;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;

namespace Godwit.Archive.Tests;

/// <summary>Files of both formats sent over multifd channels, and received again.</summary>
public sealed class SendMultifdTests
{
    public static TheoryData<string, int, MultifdCompression, bool, bool> Ways
    {
        get
        {
            var rows = new TheoryData<string, int, MultifdCompression, bool, bool>();
            var kinds = new[] { MultifdCompression.None, MultifdCompression.Zlib, MultifdCompression.Zstd };
            var number = 0;
            foreach (var name in Golden.Receivable.Where(n => !n.Contains("xbzrle", StringComparison.Ordinal) && !n.Contains("no-footers", StringComparison.Ordinal)))
            {
                rows.Add(name, 1 + (number % 4), kinds[number % 3], number % 2 == 0, false);
                number++;
            }

            foreach (var name in Golden.Mapped)
            {
                rows.Add(name, 2, MultifdCompression.None, false, false);
                rows.Add(name, 8, MultifdCompression.Zstd, false, true);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void All_pages_come(string name, int channels, MultifdCompression compression, bool legacyZeroPages, bool sections)
    {
        using var folder = new TemporaryFolder();
        var mapped = Golden.Mapped.Contains(name);
        File.WriteAllBytes(folder.File("in"), mapped ? Golden.MappedFile(name) : Golden.Stream(name));
        using var file = StreamFile.Open(folder.File("in"), mapped ? Golden.MappedOffset(name) : 0);
        var options = new SendOptions
        {
            ReturnPath = true,
            Multifd = new Parameters
            {
                MultifdChannels = channels,
                MultifdCompression = compression,
                ZeroPageDetection = legacyZeroPages ? ZeroPageDetection.Legacy : ZeroPageDetection.Multifd,
                MultifdFlushAfterEachSection = sections,
            },
        };

        var (summary, sent) = Send(file, folder, options);

        Assert.Equal(channels, summary.MultifdChannels);
        Assert.Equal(sent.BytesSent, summary.BytesReceived);
        Assert.True(sent.Confirmed);
        var expected = mapped ? MappedModel.Read(Golden.MappedFile(name), Golden.MappedOffset(name)).Pages : RamModel.Read(Golden.Stream(name)).Pages;
        var kept = RamModel.Read(File.ReadAllBytes(folder.File("out")));
        Assert.Equal(expected.Keys, kept.Pages.Keys);
        Assert.All(expected, p => Assert.Equal(p.Value, kept.Pages[p.Key]));
    }

    [Fact]
    public void Encoded_pages_are_refused_with_the_way_round_them()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("in"), Golden.Stream("virt-10.0-xbzrle"));
        using var file = StreamFile.Open(folder.File("in"));
        var error = Assert.Throws<NotSupportedException>(() => Send(file, folder, new SendOptions { Multifd = new Parameters() }));
        Assert.Contains("godwit convert IN OUT --to stream", error.Message, StringComparison.Ordinal);
    }

    private static (ReceiveSummary Summary, SendSummary Sent) Send(StreamFile file, TemporaryFolder folder, SendOptions options)
    {
        using var listening = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: listening.File("in")));
        using var cancel = new CancellationTokenSource();
        var receiving = Task.Factory.StartNew(
            () => Receiver.Receive(listener, folder.File("out"), new ReceiveOptions { MultifdChannels = options.Multifd!.MultifdChannels }, new ReceiveProgress(), cancel.Token),
            cancel.Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            using var main = ChannelConnector.Connect(listener.Address, returnPath: true);
            var sent = Sender.Send(file, main, () => ChannelConnector.Connect(listener.Address, returnPath: false), options, _ => { }, CancellationToken.None);
            return (receiving.GetAwaiter().GetResult(), sent);
        }
        catch (NotSupportedException)
        {
            cancel.Cancel();
            Assert.ThrowsAny<Exception>(() => receiving.GetAwaiter().GetResult());
            throw;
        }
    }
}
