using System.Net.Sockets;
using Godwit.Linux;

namespace Godwit.Migration.Channels;

/// <summary>A connected TCP or unix socket.</summary>
internal sealed class SocketChannel : Channel
{
    private readonly Socket _socket;
    private ZeroCopySocket? _zeroCopy;

    public SocketChannel(Socket socket, string name)
        : base(name)
    {
        _socket = socket;
        if (socket.ProtocolType == ProtocolType.Tcp)
            socket.NoDelay = true;
    }

    public override bool IsBidirectional => true;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return _socket.Receive(buffer);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override bool CanScatter => true;

    public override int Read(ScatterBuffer places)
    {
        try
        {
            return places.ReadFrom(_socket.SafeHandle, Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override long ReadAll(ScatterBuffer places)
    {
        try
        {
            return places.ReceiveAllFrom(_socket.SafeHandle, Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[_socket.Send(bytes)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override void Write(GatherBuffer bytes)
    {
        try
        {
            bytes.WriteTo(_socket.SafeHandle, -1, Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override bool TryUseZeroCopy() => (_zeroCopy = ZeroCopySocket.TryCreate(_socket.SafeHandle)) is not null;

    public override void WriteZeroCopy(GatherBuffer bytes)
    {
        try
        {
            bytes.WriteTo(_zeroCopy!, Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override bool FlushZeroCopy()
    {
        try
        {
            return _zeroCopy!.Flush(Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override bool? WaitReadable(int milliseconds) => _socket.Poll(TimeSpan.FromMilliseconds(milliseconds), SelectMode.SelectRead);

    public override void CloseWrite() => Shutdown(SocketShutdown.Send);

    public override void CloseRead() => Shutdown(SocketShutdown.Receive);

    public override void Shutdown() => Shutdown(SocketShutdown.Both);

    protected override void Dispose(bool disposing) => _socket.Dispose();

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            _socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other side was faster: it is shut down already.
        }
    }
}
