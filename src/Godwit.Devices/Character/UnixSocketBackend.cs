using System.Net.Sockets;

namespace Godwit.Devices.Character;

/// <summary>A unix socket (QEMU: <c>socket</c> with a path). As a server it takes one client at a time, and another when that has gone;
/// what the guest writes while nobody is connected is dropped, as in QEMU.</summary>
public sealed class UnixSocketBackend : ICharacterBackend
{
    private readonly CharacterInput _input;
    private readonly CharacterOutput _output;
    private readonly string _path;
    private readonly Socket? _listener;
    private readonly Thread _thread;
    private volatile Socket? _peer;
    private volatile bool _disposed;

    /// <param name="deviceLock">The machine's lock.</param>
    /// <param name="path">Where the socket is; as a server, what is there goes.</param>
    /// <param name="server">It waits for clients; else it connects.</param>
    /// <param name="wait">A server that returns when the first client has come.</param>
    /// <exception cref="IOException">It can't listen or connect there.</exception>
    public UnixSocketBackend(Lock deviceLock, string path, bool server, bool wait)
    {
        _input = new CharacterInput(deviceLock);
        _path = path;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var endPoint = new UnixDomainSocketEndPoint(path);
            if (server)
            {
                File.Delete(path);
                socket.Bind(endPoint);
                socket.Listen(1);
                _listener = socket;
                if (wait)
                    _peer = socket.Accept();
            }
            else
            {
                socket.Connect(endPoint);
                _peer = socket;
            }
        }
        catch (Exception e) when (e is SocketException or ArgumentException or UnauthorizedAccessException or IOException)
        {
            socket.Dispose();
            throw new IOException($"unix:{path}: {e.Message}", e);
        }

        _output = new CharacterOutput(deviceLock, Send, "character socket output");
        _thread = new Thread(Serve) { IsBackground = true, Name = "character socket" };
        _thread.Start();
    }

    public bool TryWrite(ReadOnlySpan<byte> bytes) => _peer is null || _output.TryAdd(bytes);

    public void Attach(ICharacterFrontend frontend)
    {
        _output.Frontend = frontend;
        _input.Attach(frontend);
    }

    public void AcceptInput() => _input.Deliver();

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _output.Dispose();
        _input.Dispose();
        _listener?.Dispose();
        if (_listener is not null)
            File.Delete(_path);
        Close(_peer);
        _thread.Join();
    }

    private void Send(byte[] bytes, int count)
    {
        try
        {
            for (var sent = 0; sent < count && _peer is { } peer;)
                sent += peer.Send(bytes, sent, count - sent, SocketFlags.None);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone; the thread that reads notices too.
        }
    }

    private static void Close(Socket? peer)
    {
        try
        {
            // What was sent still arrives.
            peer?.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone already.
        }

        peer?.Dispose();
    }

    private void Serve()
    {
        while (!_disposed)
        {
            try
            {
                if ((_peer ??= _listener?.Accept()) is not { } peer)
                    return;
                // Disposed between accepting and here: nobody else would close it.
                if (!_disposed)
                    ReadFrom(peer);
                _peer = null;
                Close(peer);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_listener is null || _disposed)
                    return;
            }
        }

        Close(_peer);
    }

    private void ReadFrom(Socket peer)
    {
        var bytes = new byte[4096];
        try
        {
            int count;
            while ((count = peer.Receive(bytes)) > 0)
                _input.Add(bytes.AsSpan(0, count));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A client that goes in a hurry has gone all the same.
        }
    }
}
