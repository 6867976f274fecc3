using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;

namespace Godwit.Migration.Tests;

/// <summary><c>migrate_cancel</c> wherever a migration may be: the guest is here, and nothing is left of it. Alone, because what is left is counted for the whole
/// process.</summary>
[Collection(nameof(Alone))]
public sealed class CancelTests
{
    private const int Pages = 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(MigrationStatus.Setup, true)]
    [InlineData(MigrationStatus.Active, true)]
    [InlineData(MigrationStatus.PreSwitchover, true)]
    [InlineData(MigrationStatus.Device, true)]
    [InlineData(MigrationStatus.Setup, false)]
    [InlineData(MigrationStatus.Active, false)]
    [InlineData(MigrationStatus.PreSwitchover, false)]
    [InlineData(MigrationStatus.Device, false)]
    public void In_every_state(MigrationStatus at, bool returnPath) => Leaving(() =>
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var run = new SourceRun(machine);
        run.Set(returnPath ? ["return-path", "pause-before-switchover"] : ["pause-before-switchover"]);
        RunAndCancel(run, at);

        Assert.True(machine.Runs);
        Assert.Equal(at is MigrationStatus.PreSwitchover or MigrationStatus.Device ? ["stop", "take back"] : [], machine.Calls);
        Assert.Equal(MigrationStatus.Cancelled, run.Migrator.Query().Status);
        AssertLeavesMemoryAlone(machine);
    });

    [Theory]
    [InlineData(MigrationStatus.Setup)]
    [InlineData(MigrationStatus.Active)]
    [InlineData(MigrationStatus.PreSwitchover)]
    [InlineData(MigrationStatus.Device)]
    public void With_many_channels(MigrationStatus at) => Leaving(() =>
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var run = new SourceRun(machine) { Drains = 16 };
        run.Migrator.Parameters = new Parameters { MultifdChannels = 16 };
        run.Set("multifd", "return-path", "pause-before-switchover");
        RunAndCancel(run, at);

        Assert.True(machine.Runs);
    });

    /// <summary>Nobody takes the connections: the main one and a few more have room to wait, the others have none.</summary>
    [Fact]
    public void While_channels_connect() => Leaving(() =>
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("full");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        AssertCancelled(
            new MigrationUri(MigrationScheme.Unix, Path: path), () => Assert.True(listener.Poll(Patience, SelectMode.SelectRead)), new Parameters { MultifdChannels = 16 }, "multifd", "return-path");
    });

    /// <summary>Nobody reads the multifd channels: their threads, and the migration's, stand in their writes and for each other.</summary>
    [Fact]
    public void While_channels_are_full() => Leaving(() =>
    {
        using var machine = new TestMachine(16 * Pages, busy: true);
        using var run = new SourceRun(machine);
        run.Migrator.Parameters = new Parameters { MultifdChannels = 4, MaxBandwidth = 0 };
        run.Set("multifd");
        run.OnStatus = s =>
        {
            if (s == MigrationStatus.Active)
                new Thread(() =>
                {
                    SpinWait.SpinUntil(() => run.Migrator.Query().Ram is { MultifdBytes: > 1000 }, Patience);
                    run.Migrator.Cancel();
                }).Start();
        };

        run.Run();

        Assert.Equal("setup active cancelling cancelled", run.States);
        Assert.True(machine.Runs);
    });

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public void While_it_writes_to_one_that_does_not_read(string scheme) => Leaving(() =>
    {
        using var machine = new TestMachine(16 * Pages, busy: true);
        using var run = new SourceRun(machine, scheme);
        run.Migrator.Parameters = new Parameters { MaxBandwidth = 0 };
        run.Run(cut: 100, then: _ => run.Migrator.Cancel());
        Assert.Equal("setup active cancelling cancelled", run.States);
        Assert.True(machine.Runs);
    });

    [Fact]
    public void After_the_last_byte_the_destination_may_have_the_guest()
    {
        var length = SourceRun.StreamLength(Pages);
        Leaving(() =>
        {
            using var machine = new TestMachine(Pages);
            using var run = new SourceRun(machine);
            run.Set("return-path");
            run.Run(length, then: _ => run.Migrator.Cancel());
            Assert.Equal("setup active device failing failed", run.States);
            Assert.Equal(["stop", "hand over"], machine.Calls);
            Assert.Contains("it may have it", run.Migrator.Query().ErrorDescription, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void While_a_host_does_not_answer() => Leaving(() =>
    {
        // What comes next isn't answered.
        using var first = Full(new IPEndPoint(IPAddress.Loopback, 0), out var listener);
        using var listens = listener;
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        AssertCancelled(new MigrationUri(MigrationScheme.Tcp, Host: "127.0.0.1", Port: port), () => Until(() => IsAsking(port)));
    });

    [Fact]
    public void While_a_listener_has_no_room() => Leaving(() =>
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("full");
        using var first = Full(new UnixDomainSocketEndPoint(path), out var listener);
        using var listens = listener;
        AssertCancelled(new MigrationUri(MigrationScheme.Unix, Path: path), () => { });
    });

    [Fact]
    public void A_full_listener_is_waited_for() => Leaving(() =>
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("full");
        using var first = Full(new UnixDomainSocketEndPoint(path), out var listener);
        using var listens = listener;
        using var machine = new TestMachine(8);
        using var migrator = new Migrator(machine);
        using var over = new ManualResetEventSlim();
        migrator.StatusChanged = s =>
        {
            if (s is MigrationStatus.Completed or MigrationStatus.Failed)
                over.Set();
        };
        migrator.Migrate(new MigrationUri(MigrationScheme.Unix, Path: path));
        using var taken = listener.Accept();
        using var second = listener.Accept();
        var buffer = new byte[1 << 16];
        var bytes = 0L;
        for (int count; (count = second.Receive(buffer)) > 0;)
            bytes += count;
        Assert.True(over.Wait(Patience));
        Assert.Equal(bytes, migrator.Query().Ram!.Transferred);
        Assert.Equal(["stop", "hand over"], machine.Calls);
    });

    [Fact]
    public void Again_and_when_nothing_goes_on_it_does_nothing()
    {
        using var machine = new TestMachine(8);
        using var migrator = new Migrator(machine);
        migrator.Cancel();
        Assert.Null(migrator.Query().Status);
        using var run = new SourceRun(machine);
        run.Run();
        run.Migrator.Cancel();
        run.Migrator.Cancel();
        Assert.Equal("setup active device completed", run.States);
    }

    [Fact]
    public void Another_one_can_follow() => Leaving(() =>
    {
        using var machine = new TestMachine(Pages, busy: true);
        using (var run = new SourceRun(machine))
        {
            run.OnStatus = s =>
            {
                if (s == MigrationStatus.Device)
                    run.Migrator.Cancel();
            };
            run.Run();
            Assert.EndsWith("device cancelling cancelled", run.States, StringComparison.Ordinal);
        }

        using var next = new SourceRun(machine);
        next.Run();
        Assert.EndsWith("completed", next.States, StringComparison.Ordinal);
        Assert.Equal(["stop", "take back", "stop", "hand over"], machine.Calls);
    });

    /// <summary>A listener whose queue of one is full.</summary>
    /// <returns>Who fills it.</returns>
    private static Socket Full(EndPoint place, out Socket listener)
    {
        listener = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(place);
        listener.Listen(0);
        var first = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        first.Connect(listener.LocalEndPoint!);
        return first;
    }

    private static void AssertCancelled(MigrationUri uri, Action beforeCancel, Parameters? parameters = null, params string[] capabilities)
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var migrator = new Migrator(machine) { Parameters = parameters ?? new Parameters() };
        migrator.SetCapabilities(capabilities.Select(c => KeyValuePair.Create(c, true)));
        using var over = new ManualResetEventSlim();
        migrator.StatusChanged = s =>
        {
            if (s is MigrationStatus.Cancelled or MigrationStatus.Failed)
                over.Set();
        };
        migrator.Migrate(uri);
        beforeCancel();
        migrator.Cancel();
        Assert.True(over.Wait(Patience), "it waits on");
        Assert.Equal(MigrationStatus.Cancelled, migrator.Query().Status);
        Assert.True(machine.Runs);
        Assert.Empty(machine.Calls);
    }

    /// <summary>Nobody takes dirty bits, or asks harts to stand, any more.</summary>
    private static void AssertLeavesMemoryAlone(TestMachine machine)
    {
        var before = machine.Synchronizations;
        Until(() => machine.RamBlocks[0].Dirty.Count() >= Pages / 16);
        Assert.Equal(before, machine.Synchronizations);
    }

    private static void RunAndCancel(SourceRun run, MigrationStatus at)
    {
        run.OnStatus = s =>
        {
            if (s == at)
                run.Migrator.Cancel();
            else if (s == MigrationStatus.PreSwitchover)
                run.Migrator.Continue(MigrationStatus.PreSwitchover);
        };

        run.Run();

        Assert.EndsWith($"{at.ToName()} cancelling cancelled", run.States, StringComparison.Ordinal);
    }

    private static void Leaving(Action migration)
    {
        // Once for what the runtime opens only once.
        migration();
        var sockets = Sockets();
        migration();
        Until(() => MigrationThreads() == 0 && Sockets() == sockets);
    }

    private static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience), "it never comes to that");

    private static int Sockets() => Directory.GetFiles("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    private static int MigrationThreads() => Directory.GetDirectories("/proc/self/task").Count(t => Name(t) is "migration" or "migration-map" or "return path" || Name(t).StartsWith("mig/", StringComparison.Ordinal));

    private static string Name(string task)
    {
        try
        {
            return File.ReadAllText(task + "/comm").TrimEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Whether a connection of this host to a port of it is asked for and not answered (SYN_SENT).</summary>
    private static bool IsAsking(int port)
    {
        var to = string.Create(CultureInfo.InvariantCulture, $":{port:X4} 02 ");
        return File.ReadLines("/proc/self/net/tcp").Any(l => l.Contains(to, StringComparison.Ordinal));
    }
}

/// <summary>Tests that run while no others do.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
