using System.Net.Sockets;
using Godwit.Wire.Stream;

namespace Godwit.Testing;

/// <summary>Where a relay breaks the connection.</summary>
public enum CutPoint
{
    /// <summary>In the first bytes, before memory.</summary>
    Setup,

    /// <summary>While memory goes.</summary>
    Round,

    /// <summary>Within the devices' sections.</summary>
    Devices,

    /// <summary>The destination has all of it, and its last word doesn't reach the source.</summary>
    AfterTheLastByte,
}

/// <summary>Stands between a source and a destination, both of them on unix sockets, and breaks the connection at a point of the stream.</summary>
public sealed class CuttingRelay : IDisposable
{
    private const int RoundBytes = 2 << 20;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Socket _destination = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CutPoint _point;
    private Socket? _source;

    /// <param name="path">Where the source connects to.</param>
    /// <param name="destination">Where the destination listens.</param>
    public CuttingRelay(CutPoint point, string path, string destination)
    {
        _point = point;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        new Thread(() => Run(destination)) { IsBackground = true }.Start();
    }

    /// <summary>Completes with the cut.</summary>
    public Task Cut => _cut.Task;

    public void Dispose()
    {
        _listener.Dispose();
        _destination.Dispose();
        _source?.Dispose();
    }

    private void Run(string destination)
    {
        try
        {
            _source = _listener.Accept();
            _destination.Connect(new UnixDomainSocketEndPoint(destination));
            new Thread(Backward) { IsBackground = true }.Start();
            Forward();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Break();
        }
    }

    private void Forward()
    {
        // The bytes go on as they come; the pattern may lie across two reads.
        var buffer = new byte[64 << 10];
        var before = Array.Empty<byte>();
        long total = 0;
        int count;
        while ((count = _source!.Receive(buffer)) > 0)
        {
            var now = buffer.AsSpan(0, count);
            byte[] seen = [.. before, .. now];
            before = seen[Math.Max(0, seen.Length - 32)..];
            var keep = _point switch
            {
                CutPoint.Setup => (int)Math.Min(count, 20 - total),
                CutPoint.Round when total + count > RoundBytes => (int)(RoundBytes - total),
                CutPoint.Devices when seen.AsSpan().IndexOf(DeviceName) >= 0 => 0,
                _ => count,
            };
            SendAll(_destination, now[..keep]);
            total += count;
            if (keep == count)
                continue;
            Break();
            return;
        }

        _destination.Shutdown(SocketShutdown.Send);
    }

    /// <summary>The idstr of a section in the midst of the devices, its length before it and the instance's number after it.</summary>
    private static ReadOnlySpan<byte> DeviceName => "\u0006fw_cfg\0\0\0\0"u8;

    private void Backward()
    {
        try
        {
            var buffer = new byte[4096];
            int count;
            while ((count = _destination.Receive(buffer)) > 0)
            {
                if (_point == CutPoint.AfterTheLastByte && HasShut(buffer.AsSpan(0, count)))
                {
                    Break();
                    return;
                }

                SendAll(_source!, buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Break();
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

    private void Break()
    {
        _source?.Dispose();
        _destination.Dispose();
        _cut.TrySetResult();
    }
}
