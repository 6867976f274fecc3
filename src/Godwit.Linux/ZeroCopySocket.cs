using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>A socket that can be written to without a copy (SO_ZEROCOPY), and what is under way on it. For one thread. Source: Linux
/// Documentation/networking/msg_zerocopy.rst.</summary>
public sealed unsafe partial class ZeroCopySocket
{
    private const int Interrupted = 4, WouldBlock = 11, NoBuffers = 105;
    private const int LevelSocket = 1, OptionZeroCopy = 60;
    private const int FlagZeroCopy = 0x4000000, FlagErrorQueue = 0x2000, FlagNoSignal = 0x4000;
    private const byte OriginZeroCopy = 5, CodeCopied = 1;
    private const int ControlLength = 256;

    private readonly SafeHandle _socket;
    private uint _queued;
    private uint _done;
    private bool _anyUncopied;

    private ZeroCopySocket(SafeHandle socket)
    {
        _socket = socket;
    }

    /// <returns>Null where the kernel, or this kind of socket, can't.</returns>
    public static ZeroCopySocket? TryCreate(SafeHandle socket)
    {
        var on = 1;
        return setsockopt(socket, LevelSocket, OptionZeroCopy, &on, sizeof(int)) == 0 ? new ZeroCopySocket(socket) : null;
    }

    /// <summary>Waits until the kernel needs nothing any more of what was sent.</summary>
    /// <returns>False: all of it was copied after all; true also where nothing was under way.</returns>
    /// <exception cref="SystemCallException">The connection broke.</exception>
    public bool Flush(string name)
    {
        if (_done == _queued)
            return true;
        _anyUncopied = false;
        while (_done != _queued)
            TakeNotice(name);
        return _anyUncopied;
    }

    internal long Send(IoVector* parts, int count, string name)
    {
        while (true)
        {
            var message = new SocketMessage { Parts = parts, Count = (nuint)count };
            // Sound: the parts are guest memory, which outlives the connection; the kernel pins what it still reads.
            var sent = sendmsg(_socket, &message, FlagZeroCopy | FlagNoSignal);
            if (sent >= 0)
            {
                _queued++;
                return sent;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case WouldBlock:
                    Polling.Wait(_socket, Polling.Writable | Polling.Error);
                    break;
                // As much is under way as may be locked: it goes on when some of it has left.
                case NoBuffers when _done != _queued:
                    TakeNotice(name);
                    break;
                case NoBuffers:
                    throw new IOException($"{name}: Process can't lock enough memory for using MSG_ZEROCOPY");
                default:
                    throw SystemCallException.Last("sendmsg", name);
            }
        }
    }

    /// <summary>Waits for one notice, which tells of a range of writes.</summary>
    private void TakeNotice(string name)
    {
        var control = stackalloc byte[ControlLength];
        var message = new SocketMessage { Control = control, ControlLength = ControlLength };
        // Sound: the kernel writes at most the length given.
        if (recvmsg(_socket, &message, FlagErrorQueue) < 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    return;
                case WouldBlock:
                    Polling.Wait(_socket, Polling.Error);
                    return;
                default:
                    throw SystemCallException.Last("recvmsg", name);
            }
        }

        if (message.ControlLength < (nuint)(sizeof(ControlHeader) + sizeof(ExtendedError)))
            throw new IOException($"{name}: the kernel's error queue has a message without an error");
        var error = (ExtendedError*)(control + sizeof(ControlHeader));
        if (error->Origin != OriginZeroCopy || error->Error != 0)
            throw new IOException($"{name}: error {error->Error} of origin {error->Origin} in the kernel's error queue");
        _done += error->Last - error->First + 1;
        _anyUncopied |= error->Code != CodeCopied;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeHandle socket, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeHandle socket, SocketMessage* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeHandle socket, SocketMessage* message, int flags);

    // What only the kernel fills in.
#pragma warning disable CS0649
    /// <summary>struct cmsghdr.</summary>
    private struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    /// <summary>struct sock_extended_err; its last two members are the range of writes.</summary>
    private struct ExtendedError
    {
        public uint Error;
        public byte Origin;
        public byte Type;
        public byte Code;
        public byte Padding;
        public uint First;
        public uint Last;
    }
#pragma warning restore CS0649
}
