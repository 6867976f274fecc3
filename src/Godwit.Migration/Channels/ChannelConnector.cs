using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
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
        if (IsSet(uri))
            return new FileChannel(Prepare(new FileStream(DescriptorSets.Open(uri.Path, Linux.Descriptor.Create | Linux.Descriptor.WriteOnly), FileAccess.Write, bufferSize: 0), uri), uri.ToString());
        try
        {
            return uri.Scheme switch
            {
                MigrationScheme.Tcp => Socket(uri, new IPEndPoint(Resolve(uri, cancellation), uri.Port), ProtocolType.Tcp, cancellation),
                MigrationScheme.Unix => Socket(uri, new UnixDomainSocketEndPoint(uri.Path), ProtocolType.Unspecified, cancellation),
                MigrationScheme.Fd => Descriptor(uri, FileAccess.Write),
                MigrationScheme.Exec => new ExecChannel(uri.Command, readOutput: returnPath),
                _ => new FileChannel(OpenFile(uri), uri.ToString()),
            };
        }
        catch (SocketException e)
        {
            throw new IOException($"Failed to connect to '{Place(uri)}': {Reason(e, uri)}", e);
        }
        catch (ArgumentException e) when (uri.Scheme == MigrationScheme.Unix)
        {
            throw new IOException($"Failed to connect to '{uri.Path}': {e.Message}", e);
        }
        catch (Exception e) when (uri.Scheme == MigrationScheme.File && e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"Could not create '{uri.Path}': {Reason(e, uri)}", e);
        }
    }

    internal static Channel OpenForReading(MigrationUri uri)
    {
        if (IsSet(uri))
            return new FileChannel(At(new FileStream(DescriptorSets.Open(uri.Path, Linux.Descriptor.ReadOnly), FileAccess.Read, bufferSize: 0), uri.FileOffset), uri.ToString());
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
                    return new FileChannel(At(stream, uri.FileOffset), uri.ToString());
            }
        }
        catch (Exception e) when (uri.Scheme == MigrationScheme.File && e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"Could not open '{uri.Path}': {Reason(e, uri)}", e);
        }
    }

    internal static string Place(MigrationUri uri) => uri.Scheme == MigrationScheme.Tcp ? $"{uri.Host}:{uri.Port}" : uri.Path;

    /// <summary>The system's own words, as QEMU gives them.</summary>
    internal static string Reason(Exception e, MigrationUri uri) => e switch
    {
        // What .NET makes of a path that isn't there.
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } when uri.Scheme == MigrationScheme.Unix => "No such file or directory",
        SocketException { NativeErrorCode: > 0 and var code } => Marshal.GetPInvokeErrorMessage(code),
        FileNotFoundException or DirectoryNotFoundException or ArgumentException => "No such file or directory",
        UnauthorizedAccessException => "Permission denied",
        _ => e.Message,
    };

    /// <exception cref="IOException">The host isn't known.</exception>
    internal static IPAddress Resolve(MigrationUri uri, CancellationToken cancellation = default)
    {
        if (uri.Host.Length == 0)
            return IPAddress.Loopback;
        if (IPAddress.TryParse(uri.Host, out var address))
            return address;
        try
        {
            var addresses = Dns.GetHostAddressesAsync(uri.Host, cancellation).GetAwaiter().GetResult();
            return Array.Find(addresses, a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        }
        catch (SocketException e)
        {
            throw new IOException($"address resolution failed for {uri.Host}:{uri.Port}: {e.Message}", e);
        }
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
        if (!Path.Exists($"/proc/self/fd/{uri.Descriptor}"))
            throw new IOException($"File descriptor named '{uri.Descriptor}' has not been found");
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
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return Prepare(new FileStream(uri.Path, options), uri);
    }

    /// <summary>What stands before the offset isn't ours; what stood behind it would follow the stream. A pipe has no length, a device none to change.</summary>
    private static FileStream Prepare(FileStream stream, MigrationUri uri)
    {
        if (stream.CanSeek && stream.Length > uri.FileOffset)
            stream.SetLength(uri.FileOffset);
        return At(stream, uri.FileOffset);
    }

    private static FileStream At(FileStream stream, long offset)
    {
        if (stream.CanSeek)
            stream.Seek(offset, SeekOrigin.Begin);
        return stream;
    }

    private static bool IsSet(MigrationUri uri) => uri.Scheme == MigrationScheme.File && DescriptorSets.Has(uri.Path);
}
