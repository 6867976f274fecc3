using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Channels;

/// <summary>Opens a migration address from the side that acts.</summary>
public static class ChannelConnector
{
    /// <summary>Connects to a waiting destination, or opens what the stream is to be written to.</summary>
    /// <param name="returnPath">Whether an answer will be read: an <c>exec:</c> command's output is then taken.</param>
    /// <param name="cancellation">Ends the waiting for a destination that doesn't answer.</param>
    /// <exception cref="IOException">It can't be opened; the message names the address.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Channel Connect(MigrationUri uri, bool returnPath, CancellationToken cancellation = default)
    {
        try
        {
            return uri.Scheme switch
            {
                MigrationScheme.Tcp => Socket(uri, new IPEndPoint(Resolve(uri.Host, cancellation), uri.Port), ProtocolType.Tcp, cancellation),
                MigrationScheme.Unix => Socket(uri, new UnixDomainSocketEndPoint(uri.Path), ProtocolType.Unspecified, cancellation),
                MigrationScheme.Fd => Descriptor(uri, FileAccess.Write),
                MigrationScheme.Exec => new ExecChannel(uri.Command, readOutput: returnPath),
                _ => new FileChannel(OpenFile(uri), uri.ToString()),
            };
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"can't open {uri}: {e.Message}", e);
        }
    }

    internal static Channel OpenForReading(MigrationUri uri)
    {
        try
        {
            switch (uri.Scheme)
            {
                case MigrationScheme.Fd:
                    return Descriptor(uri, FileAccess.Read);
                case MigrationScheme.Exec:
                    return new ExecChannel(uri.Command, readOutput: true);
                default:
                    var stream = new FileStream(uri.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                    stream.Seek(uri.FileOffset, SeekOrigin.Begin);
                    return new FileChannel(stream, uri.ToString());
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"can't open {uri}: {e.Message}", e);
        }
    }

    internal static IPAddress Resolve(string host, CancellationToken cancellation = default)
    {
        if (host.Length == 0)
            return IPAddress.Loopback;
        if (IPAddress.TryParse(host, out var address))
            return address;
        var addresses = Dns.GetHostAddressesAsync(host, cancellation).GetAwaiter().GetResult();
        return Array.Find(addresses, a => a.AddressFamily == AddressFamily.InterNetwork)
            ?? addresses.FirstOrDefault()
            ?? throw new IOException($"host '{host}' has no address");
    }

    private static SocketChannel Socket(MigrationUri uri, EndPoint endPoint, ProtocolType protocol, CancellationToken cancellation)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, protocol);
        using var registration = cancellation.Register(socket.Dispose);
        try
        {
            Connect(socket, endPoint);
        }
        catch
        {
            socket.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw;
        }

        return new SocketChannel(socket, uri.ToString());
    }

    /// <summary>Waits as long as it takes, until the socket is disposed. What waits at a full unix listener nothing wakes: it waits in short spells.</summary>
    private static void Connect(Socket socket, EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint)
        {
            socket.Connect(endPoint);
            return;
        }

        socket.SendTimeout = 50;
        while (true)
        {
            try
            {
                socket.Connect(endPoint);
                break;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
            {
                // The listener's queue is full.
            }
        }

        socket.SendTimeout = 0;
    }

    private static Channel Descriptor(MigrationUri uri, FileAccess access)
    {
        try
        {
            return new SocketChannel(new Socket(new SafeSocketHandle(uri.Descriptor, ownsHandle: true)), uri.ToString());
        }
        catch (SocketException)
        {
            // Not a socket: a pipe or a file.
            return new FileChannel(new FileStream(new SafeFileHandle(uri.Descriptor, ownsHandle: true), access, bufferSize: 0), uri.ToString());
        }
    }

    private static FileStream OpenFile(MigrationUri uri)
    {
        var stream = new FileStream(uri.Path, uri.FileOffset == 0 ? FileMode.Create : FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Seek(uri.FileOffset, SeekOrigin.Begin);
        return stream;
    }
}
