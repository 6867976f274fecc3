using System.Net.Sockets;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Stands between a source and a destination, both of them on unix sockets, and lets nothing pass any more from a place of the stream on.</summary>
public sealed class FaultyRelay : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Socket _destination = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FaultPlace _place;
    private Socket? _source;
    private volatile bool _holds;

    /// <param name="path">Where the source connects to.</param>
    /// <param name="destination">Where the destination listens.</param>
    public FaultyRelay(FaultPlace place, string path, string destination)
    {
        _place = place;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        new Thread(() => Guarded(() => Run(destination))) { IsBackground = true }.Start();
    }

    /// <summary>Completes when the stream stands at the place, and fails where the connection ends before.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Ends both connections. A destination that can't answer anyway may read what has come.</summary>
    public void Break()
    {
        _source?.Dispose();
        if (_place.Stage != FaultStage.NoWayBack)
            _destination.Dispose();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _source?.Dispose();
        _destination.Dispose();
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _reached.TrySetException(new InvalidOperationException($"{_place}: the connection ended before: {e.Message}"));
            Break();
        }
    }

    private void Run(string destination)
    {
        _source = _listener.Accept();
        _destination.Connect(new UnixDomainSocketEndPoint(destination));
        new Thread(() => Guarded(Backward)) { IsBackground = true }.Start();
        Forward();
    }

    private void Forward()
    {
        var buffer = new byte[64 << 10];
        // What may be the beginning of the pattern, of the bytes that went.
        var before = Array.Empty<byte>();
        var left = _place.Stage == FaultStage.ShutIsLost ? long.MaxValue : _place.Pattern.Length == 0 ? _place.After : -1;
        int count;
        while ((count = _source!.Receive(buffer)) > 0)
        {
            var now = buffer.AsSpan(0, count);
            if (left < 0)
            {
                byte[] seen = [.. before, .. now];
                before = seen[Math.Max(0, seen.Length - _place.Pattern.Length + 1)..];
                if (seen.AsSpan().IndexOf(_place.Pattern) is >= 0 and var at)
                    left = at + _place.Pattern.Length - (seen.Length - count) + _place.After;
            }

            if (left >= 0 && count >= left)
            {
                Stop(now, (int)left);
                return;
            }

            if (left >= 0)
                left -= count;
            SendAll(_destination, now);
        }

        _destination.Shutdown(SocketShutdown.Send);
        if (_place.Stage != FaultStage.ShutIsLost)
            _reached.TrySetException(new InvalidOperationException($"{_place}: the stream ended before"));
    }

    private void Stop(Span<byte> bytes, int keep)
    {
        SendAll(_destination, bytes[..keep]);
        _holds = true;
        if (_place.Stage == FaultStage.NoWayBack)
        {
            // Its next word breaks on this, before the last byte lets it speak.
            _destination.Shutdown(SocketShutdown.Receive);
            var rest = bytes[keep..].ToArray();
            if (rest.Length == 0)
                rest = Next();
            SendAll(_destination, rest);
            _destination.Shutdown(SocketShutdown.Send);
        }

        _reached.TrySetResult();
    }

    private byte[] Next()
    {
        var buffer = new byte[4096];
        return buffer[.._source!.Receive(buffer)];
    }

    private void Backward()
    {
        var buffer = new byte[4096];
        int count;
        while ((count = _destination.Receive(buffer)) > 0)
        {
            if (_holds)
                continue;
            if (_place.Stage == FaultStage.ShutIsLost && HasShut(buffer.AsSpan(0, count)))
            {
                _reached.TrySetResult();
                return;
            }

            SendAll(_source!, buffer.AsSpan(0, count));
        }
    }

    private static bool HasShut(ReadOnlySpan<byte> messages)
    {
        int taken;
        while ((taken = ReturnPathMessage.Read(messages, 0, out var message)) > 0)
        {
            if (message.Type == ReturnPathType.Shut)
                return true;
            messages = messages[taken..];
        }

        return false;
    }

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }
}
