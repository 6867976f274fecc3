using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Godwit.Linux;
using Godwit.Memory;

namespace Godwit.SideBySide;

/// <summary>The limit: the same memory through sockets and into memory that is there already, with nothing around it.</summary>
internal static class RawSocket
{
    private const int Piece = 1 << 20;

    /// <param name="sockets">Each takes its share.</param>
    /// <returns>Seconds.</returns>
    public static double Copy(string path, long size, int sockets = 1)
    {
        using var from = new RamBlock("from", MemoryMapping.OpenFile(path, (ulong)size, share: false));
        using var to = RamBlock.Create("to", (ulong)size);
        if (!to.TryPopulate(0, to.Length))
            throw new IOException("the host gives no memory");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var share = size / sockets;
        var pairs = new List<(Socket Sender, Socket Receiver)>();
        for (var i = 0; i < sockets; i++)
        {
            var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sender.Connect(listener.LocalEndPoint!);
            pairs.Add((sender, listener.Accept()));
        }

        var watch = Stopwatch.StartNew();
        var threads = new List<Thread>();
        for (var i = 0; i < sockets; i++)
        {
            var (start, (sender, receiver)) = (i * share, pairs[i]);
            threads.Add(new Thread(() => Send(sender, from, start, start + share)));
            threads.Add(new Thread(() => Receive(receiver, to, start, start + share)));
        }

        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var seconds = watch.Elapsed.TotalSeconds;
        pairs.ForEach(p => p.Sender.Dispose());
        pairs.ForEach(p => p.Receiver.Dispose());
        return seconds;
    }

    private static void Send(Socket socket, RamBlock block, long at, long end)
    {
        while (at < end)
            at += socket.Send(block.Read((ulong)at, (int)Math.Min(Piece, end - at)));
    }

    private static void Receive(Socket socket, RamBlock block, long at, long end)
    {
        while (at < end)
        {
            var count = socket.Receive(block.Write((ulong)at, (int)Math.Min(Piece, end - at)));
            if (count == 0)
                throw new IOException("the sender has closed");
            at += count;
        }
    }
}
