using System.Net.Sockets;

namespace Godwit.Testing;

/// <summary>Stands between a source and a destination, both of them on unix sockets, and holds what the source says on some of its connections until it is let go.</summary>
public sealed class HoldingRelay : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<Socket> _sockets = [];
    private readonly TaskCompletionSource _come = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _goes = new();
    private readonly string _destination;
    private readonly int _free;
    private bool _disposed;

    /// <param name="path">Where the source connects to.</param>
    /// <param name="destination">Where the destination listens.</param>
    /// <param name="free">How many connections aren't held, the first ones.</param>
    public HoldingRelay(string path, string destination, int free)
    {
        _free = free;
        _destination = destination;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(16);
        Start(Run);
    }

    /// <summary>Completes when the source has said something on a connection that is held.</summary>
    public Task Come => _come.Task;

    public void LetGo() => _goes.Set();

    public void Dispose()
    {
        _goes.Set();
        lock (_sockets)
        {
            _disposed = true;
            _sockets.ForEach(s => s.Dispose());
        }

        _listener.Dispose();
    }

    private void Run()
    {
        for (var number = 0; ; number++)
        {
            var held = number >= _free;
            var source = Keep(_listener.Accept());
            var destination = Keep(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
            destination.Connect(new UnixDomainSocketEndPoint(_destination));
            Start(() => Pass(source, destination, held));
            Start(() => Pass(destination, source, held: false));
        }
    }

    private void Pass(Socket from, Socket to, bool held)
    {
        var buffer = new byte[64 << 10];
        try
        {
            int count;
            while ((count = from.Receive(buffer)) > 0)
            {
                if (held)
                {
                    _come.TrySetResult();
                    _goes.Wait();
                }

                for (var sent = 0; sent < count;)
                    sent += to.Send(buffer.AsSpan(sent, count - sent));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // One side is gone: so is the other.
            from.Dispose();
            to.Dispose();
        }
    }

    private Socket Keep(Socket socket)
    {
        lock (_sockets)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _sockets.Add(socket);
        }

        return socket;
    }

    private static void Start(Action action) => new Thread(() => Guarded(action)) { IsBackground = true }.Start();

    private static void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
