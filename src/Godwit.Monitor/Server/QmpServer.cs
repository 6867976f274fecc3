using System.Net.Sockets;
using System.Text.Json.Nodes;
using Godwit.Migration;
using Godwit.Migration.Control;

namespace Godwit.Monitor.Server;

/// <summary>A machine's QMP monitor on any number of sockets: each has one client at a time, and another when that has gone.</summary>
public sealed class QmpServer : IDisposable
{
    private readonly QmpCommands _commands;
    private readonly Migrator _migrator;
    private readonly Lock _lock = new();
    private readonly List<Socket> _listeners = [];
    private readonly List<string> _paths = [];
    private readonly List<Thread> _threads = [];
    private readonly List<QmpSession> _sessions = [];
    private bool _disposed;

    /// <param name="migrator">Whose <see cref="Migrator.StatusChanged"/> and <see cref="Migrator.PassStarted"/> this takes.</param>
    /// <param name="version">Godwit's.</param>
    public QmpServer(IMonitoredMachine machine, Migrator migrator, string version)
    {
        _commands = new QmpCommands(machine, migrator, version);
        _migrator = migrator;
        migrator.StatusChanged = status => TellMigration("MIGRATION", "status", JsonValue.Create(status.ToName()));
        migrator.PassStarted = pass => TellMigration("MIGRATION_PASS", "pass", JsonValue.Create(pass));
    }

    /// <param name="wait">Returns when the first client has come.</param>
    /// <exception cref="IOException">It can't be listened on.</exception>
    public void Listen(QmpAddress address, bool wait)
    {
        Socket listener;
        try
        {
            listener = address.Listen();
        }
        catch (IOException e)
        {
            throw new IOException($"-qmp {e.Message}", e);
        }

        var first = wait ? listener.Accept() : null;
        var thread = new Thread(() => Serve(listener, first)) { IsBackground = true, Name = "QMP" };
        lock (_lock)
        {
            _listeners.Add(listener);
            _threads.Add(thread);
            if (address.Path is { } path)
                _paths.Add(path);
        }

        thread.Start();
    }

    /// <summary>Tells all clients that have negotiated; never waits.</summary>
    public void Tell(string name, JsonObject? data = null)
    {
        var now = DateTimeOffset.UtcNow;
        var message = new JsonObject
        {
            ["timestamp"] = new JsonObject { ["seconds"] = now.ToUnixTimeSeconds(), ["microseconds"] = now.Ticks % TimeSpan.TicksPerSecond / 10 },
            ["event"] = name,
        };
        if (data is not null)
            message["data"] = data;
        var line = JsonOutput.Line(message);
        lock (_lock)
            _sessions.ForEach(s => s.Tell(line));
    }

    /// <summary>Lets clients have what was said to them, and goes.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            _sessions.ForEach(s => s.Finish());
            _listeners.ForEach(l => l.Dispose());
        }

        // A client that doesn't read doesn't hold the process.
        foreach (var thread in _threads)
            thread.Join(TimeSpan.FromSeconds(1));
        _paths.ForEach(File.Delete);
    }

    private void TellMigration(string name, string member, JsonValue value)
    {
        if (_migrator.Capabilities["events"])
            Tell(name, new JsonObject { [member] = value });
    }

    private void Serve(Socket listener, Socket? client)
    {
        while (true)
        {
            try
            {
                client ??= listener.Accept();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            using (client)
            {
                using var session = new QmpSession(_commands, client);
                lock (_lock)
                {
                    if (_disposed)
                        return;
                    _sessions.Add(session);
                }

                session.Run();
                lock (_lock)
                    _sessions.Remove(session);
            }

            client = null;
        }
    }
}
