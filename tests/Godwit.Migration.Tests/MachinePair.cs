using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Two machines and all that goes between them, over real sockets through a relay that keeps it.</summary>
internal sealed class MachinePair : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly ChannelListener _between;
    private readonly MemoryStream _there = new();
    private readonly MemoryStream _back = new();
    private readonly List<MigrationStatus> _fromStates = [];
    private readonly List<MigrationStatus> _toStates = [];
    private readonly TaskCompletionSource _fromOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _toOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Thread> _threads = [];
    private readonly ManualResetEventSlim _joined = new();
    private Channel? _near;
    private Channel? _far;

    public MachinePair(string scheme = "unix", int pages = 256, bool busy = true)
    {
        Source = new TestMachine(pages, busy);
        Destination = new TestMachine(pages, empty: true);
        From = new Migrator(Source) { StatusChanged = s => Note(_fromStates, s, _fromOver, s => OnSource?.Invoke(s)) };
        To = new Migrator(Destination) { StatusChanged = s => Note(_toStates, s, _toOver, s => OnDestination?.Invoke(s)) };
        _between = ChannelListener.Listen(Uri(scheme, "between"));
        Scheme = scheme;
    }

    public TestMachine Source { get; }

    public TestMachine Destination { get; }

    public Migrator From { get; }

    public Migrator To { get; }

    public bool ExitOnError { get; init; } = true;

    /// <summary>Called on the migrations' threads.</summary>
    public Action<MigrationStatus>? OnSource { get; set; }

    public Action<MigrationStatus>? OnDestination { get; set; }

    public string SourceStates => Names(_fromStates);

    public string DestinationStates => Names(_toStates);

    public string Error => From.Query().ErrorDescription ?? "";

    public string IncomingError => To.Query().ErrorDescription ?? "";

    /// <summary>The stream.</summary>
    public byte[] Bytes => _there.ToArray();

    public List<ReturnPathType> Answers
    {
        get
        {
            var bytes = _back.ToArray();
            var types = new List<ReturnPathType>();
            for (int at = 0, taken; (taken = ReturnPathMessage.Read(bytes.AsSpan(at), at, out var message)) > 0; at += taken)
                types.Add(message.Type);
            return types;
        }
    }

    private string Scheme { get; }

    public void Set(params string[] capabilities)
    {
        foreach (var migrator in new[] { From, To })
            migrator.SetCapabilities(capabilities.Select(c => KeyValuePair.Create(c, true)));
    }

    /// <summary>Migrates, and waits until both ends are done with it.</summary>
    public void Run()
    {
        To.Incoming(Uri(Scheme, "in"), ExitOnError);
        From.Migrate(_between.Address);
        _near = _between.Accept(CancellationToken.None);
        _far = ChannelConnector.Connect(To.IncomingAddress!, returnPath: true);
        _joined.Set();
        Relay(_near, _far, _there);
        Relay(_far, _near, _back);
        Assert.True(_fromOver.Task.Wait(Limit), $"the source hangs: {SourceStates}");
        Assert.True(_toOver.Task.Wait(Limit), $"the destination hangs: {DestinationStates}");
        From.Dispose();
        To.Dispose();
        _threads.ForEach(t => t.Join());
    }

    /// <summary>Breaks the connection, as soon as it is there.</summary>
    public void Cut()
    {
        Assert.True(_joined.Wait(Limit));
        Break();
    }

    public void Dispose()
    {
        Break();
        From.Dispose();
        To.Dispose();
        _near?.Dispose();
        _far?.Dispose();
        _between.Dispose();
        Source.Dispose();
        Destination.Dispose();
        _folder.Dispose();
        _joined.Dispose();
    }

    private void Break()
    {
        _near?.Shutdown();
        _far?.Shutdown();
    }

    private MigrationUri Uri(string scheme, string name) => MigrationUri.Parse(scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{_folder.File(name)}");

    private void Relay(Channel from, Channel to, MemoryStream kept)
    {
        var thread = new Thread(() =>
        {
            var buffer = new byte[1 << 16];
            var count = 0;
            // Whoever hangs up may have said something before: the other direction goes on, and who writes must not be blocked.
            while (Try(() => count = from.Read(buffer)) && count > 0)
            {
                kept.Write(buffer, 0, count);
                Try(() => to.Write(buffer.AsSpan(0, count)));
            }

            to.CloseWrite();
        });
        _threads.Add(thread);
        thread.Start();
    }

    private static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Note(List<MigrationStatus> states, MigrationStatus status, TaskCompletionSource over, Action<MigrationStatus> then)
    {
        lock (states)
            states.Add(status);
        then(status);
        if (status is MigrationStatus.Completed or MigrationStatus.Failed or MigrationStatus.Cancelled)
            over.TrySetResult();
    }

    private static string Names(List<MigrationStatus> states)
    {
        lock (states)
            return string.Join(' ', states.Select(s => s.ToName()));
    }
}
