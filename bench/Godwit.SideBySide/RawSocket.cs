using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Godwit.Linux;
using Godwit.Memory;

namespace Godwit.SideBySide;

/// <summary>The limit: the same memory through a socket and into memory that is there already, with nothing around it.</summary>
internal static class RawSocket
{
    private const int Piece = 1 << 20;

    /// <returns>Seconds.</returns>
    public static double Copy(string path, long size)
    {
        using var from = new RamBlock("from", MemoryMapping.OpenFile(path, (ulong)size, share: false));
        using var to = RamBlock.Create("to", (ulong)size);
        if (!to.TryPopulate(0, to.Length))
            throw new IOException("the host gives no memory");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        sender.Connect(listener.LocalEndPoint!);
        using var receiver = listener.Accept();
        var watch = Stopwatch.StartNew();
        var sending = new Thread(() => Send(sender, from, size));
        sending.Start();
        for (var at = 0L; at < size;)
        {
            var count = receiver.Receive(to.Write((ulong)at, (int)Math.Min(Piece, size - at)));
            if (count == 0)
                throw new IOException("the sender has closed");
            at += count;
        }

        sending.Join();
        return watch.Elapsed.TotalSeconds;
    }

    private static void Send(Socket socket, RamBlock block, long size)
    {
        for (var at = 0L; at < size;)
            at += socket.Send(block.Read((ulong)at, (int)Math.Min(Piece, size - at)));
    }
}
