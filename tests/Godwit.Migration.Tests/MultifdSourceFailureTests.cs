using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Multifd;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>What breaks while a source's pages go over channels: its guest runs on, and the error says which it was.</summary>
public sealed class MultifdSourceFailureTests
{
    private const int Pages = 8192;
    private const int Channels = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("none")]
    [InlineData("zstd")]
    public void A_channel_that_breaks_while_the_others_live(string compression)
    {
        var error = Fail(compression, (channel, id, bytes) =>
        {
            if (id == 1 && bytes > 3000)
                channel.Shutdown();
        });
        Assert.Contains("unix:", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("zlib")]
    public void A_destination_that_fails_says_so_and_closes_all(string compression)
    {
        var error = Fail(compression, (channel, id, bytes) =>
        {
            if (id >= 0 || bytes < 100)
                return;
            SourceRun.Say(channel, new ReturnPathMessage(ReturnPathType.Shut, 1));
            channel.Shutdown();
        });
        Assert.Contains("the destination failed (it says 1)", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Zero_copy_needs_tcp()
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        using var machine = new TestMachine(64, busy: true);
        using var migrator = Start(machine, listener, new Parameters(), out var over, "multifd", "zero-copy-send");
        Assert.True(over.Wait(Patience));
        Assert.Equal("Zero copy send feature not detected in host kernel", migrator.Query().ErrorDescription);
        Assert.True(machine.Runs);
    }

    /// <summary>The other end takes everything, and does with each channel what it is told after each bit of it; -1 is the main one.</summary>
    private static string Fail(string compression, Action<Channel, int, long> then)
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        using var machine = new TestMachine(Pages, busy: true);
        // So slow that it never comes to an end by itself.
        var parameters = new Parameters { MultifdChannels = Channels, MultifdCompression = Enum.Parse<MultifdCompression>(compression, ignoreCase: true), MaxBandwidth = 4 << 20, DowntimeLimit = 1 };
        using var migrator = Start(machine, listener, parameters, out var over, "multifd", "return-path");
        var threads = Enumerable.Range(0, Channels + 1).Select(_ => new Thread(() =>
        {
            using var channel = listener.Accept(CancellationToken.None);
            Take(channel, then);
        })).ToList();
        threads.ForEach(t => t.Start());
        Assert.True(over.Wait(Patience), $"it goes on: {migrator.Query()}");
        threads.ForEach(t => t.Join());
        Assert.Equal(MigrationStatus.Failed, migrator.Query().Status);
        Assert.True(machine.Runs);
        Assert.DoesNotContain("hand over", machine.Calls);
        return migrator.Query().ErrorDescription!;
    }

    private static Migrator Start(TestMachine machine, ChannelListener listener, Parameters parameters, out ManualResetEventSlim over, params string[] capabilities)
    {
        var ended = over = new ManualResetEventSlim();
        var migrator = new Migrator(machine)
        {
            Parameters = parameters,
            StatusChanged = s =>
            {
                if (s is MigrationStatus.Completed or MigrationStatus.Failed)
                    ended.Set();
            },
        };
        migrator.SetCapabilities(capabilities.Select(c => KeyValuePair.Create(c, true)));
        migrator.Migrate(listener.Address);
        return migrator;
    }

    private static void Take(Channel channel, Action<Channel, int, long> then)
    {
        var buffer = new byte[1 << 16];
        try
        {
            var bytes = (long)channel.ReadAll(buffer.AsSpan(0, MultifdHandshake.Length));
            var id = buffer.AsSpan().StartsWith("QEVM"u8) ? -1 : MultifdHandshake.Read(buffer.AsSpan(0, MultifdHandshake.Length)).Id;
            for (int count; (count = channel.Read(buffer)) > 0;)
            {
                bytes += count;
                then(channel, id, bytes);
            }
        }
        catch (IOException)
        {
            // The source hung up.
        }
    }
}
