using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>A migration of a <see cref="TestMachine"/> over a real socket, and a peer that keeps the bytes.</summary>
internal sealed class SourceRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ChannelListener _listener;
    private readonly List<MigrationStatus> _states = [];
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<byte> _bytes = [];
    private readonly CancellationTokenSource _cancelled = new();
    private Channel? _peer;

    public SourceRun(TestMachine machine, string scheme = "unix")
    {
        Machine = machine;
        Migrator = new Migrator(machine) { StatusChanged = Note };
        _listener = ChannelListener.Listen(MigrationUri.Parse(scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{_folder.File("s")}"));
    }

    public TestMachine Machine { get; }

    public Migrator Migrator { get; }

    public byte[] Bytes => [.. _bytes];

    /// <summary>Multifd channels whose bytes the peer takes and forgets; it leaves others alone.</summary>
    public int Drains { get; init; }

    /// <summary>Called on the migration's thread, too.</summary>
    public Action<MigrationStatus>? OnStatus { get; set; }

    public string States
    {
        get
        {
            lock (_states)
                return string.Join(' ', _states.Select(s => s.ToName()));
        }
    }

    public void Set(params string[] capabilities) => Migrator.SetCapabilities(capabilities.Select(c => KeyValuePair.Create(c, true)));

    /// <summary>Runs to the end. The peer reads up to <paramref name="cut"/> bytes, then does <paramref name="then"/>.</summary>
    /// <param name="shut">What it says when the stream is whole; null: it reads on and says nothing.</param>
    public void Run(long cut = long.MaxValue, Action<Channel>? then = null, uint? shut = null)
    {
        Migrator.Migrate(_listener.Address);
        var reading = new Thread(() =>
        {
            if (!Accept())
                return;
            var draining = Enumerable.Range(0, Drains).Select(_ => new Thread(Drain)).ToList();
            draining.ForEach(t => t.Start());
            Read(cut, then ?? (c => c.Shutdown()), shut);
            draining.ForEach(t => t.Join());
        });
        reading.Start();
        Assert.True(_over.Task.Wait(TimeSpan.FromSeconds(60)), $"it hangs: {States}");
        reading.Join();
        Migrator.Dispose();
    }

    public void Dispose()
    {
        Migrator.Dispose();
        _peer?.Dispose();
        _listener.Dispose();
        _cancelled.Dispose();
        _folder.Dispose();
    }

    /// <summary>Bytes that a machine of so many pages sends with a return path while its guest stands.</summary>
    public static long StreamLength(int pages)
    {
        using var machine = new TestMachine(pages);
        using var run = new SourceRun(machine);
        run.Set("return-path");
        run.Run(shut: 0);
        return run.Bytes.Length;
    }

    public static void Say(Channel channel, ReturnPathMessage message)
    {
        var writer = new WireWriter(new byte[64]);
        message.Write(ref writer);
        channel.Write(writer.Written);
    }

    private void Note(MigrationStatus status)
    {
        lock (_states)
            _states.Add(status);
        OnStatus?.Invoke(status);
        if (status == MigrationStatus.Cancelled)
            _cancelled.Cancel();
        if (status is MigrationStatus.Completed or MigrationStatus.Failed or MigrationStatus.Cancelled)
            _over.SetResult();
    }

    /// <returns>False where it was cancelled before it came here.</returns>
    private bool Accept()
    {
        try
        {
            _peer = _listener.Accept(_cancelled.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Drain()
    {
        try
        {
            using var channel = _listener.Accept(_cancelled.Token);
            var buffer = new byte[1 << 16];
            while (channel.Read(buffer) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The source hung up, or never came.
        }
    }

    private void Read(long cut, Action<Channel> then, uint? shut)
    {
        var buffer = new byte[1 << 16];
        try
        {
            int count;
            while (_bytes.Count < cut && (count = _peer!.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, cut - _bytes.Count)))) > 0)
                _bytes.AddRange(buffer.AsSpan(0, count));
            if (_bytes.Count >= cut)
                then(_peer!);
            if (shut is { } value)
                Say(_peer!, new ReturnPathMessage(ReturnPathType.Shut, value));
        }
        catch (IOException)
        {
            // The source hung up.
        }
    }
}
