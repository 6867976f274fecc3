using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Linux;

/// <summary>Open files that go along with the bytes of a unix socket (SCM_RIGHTS).</summary>
public static unsafe partial class DescriptorPassing
{
    /// <summary>As many as the kernel lets through at once (SCM_MAX_FD).</summary>
    private const int MaxDescriptors = 253;
    private const int HeaderLength = 16;
    private const int SocketLevel = 1, Rights = 1;
    private const int CloseOnExec = 0x40000000, NoSignal = 0x4000;
    private const int Interrupted = 4;

    /// <summary>Waits for bytes and reads some, and what comes with them.</summary>
    /// <param name="descriptors">What came is added; whoever calls owns it.</param>
    /// <param name="name">For errors.</param>
    /// <returns>Bytes read; 0 where the other side has closed.</returns>
    /// <exception cref="SystemCallException">It can't be read.</exception>
    public static int Receive(SafeHandle socket, Span<byte> buffer, ICollection<SafeFileHandle> descriptors, string name)
    {
        var control = stackalloc byte[HeaderLength + ((MaxDescriptors + 1) * sizeof(int))];
        // Sound: the kernel writes no more than the lengths that it is given, of memory that lives as long as the call.
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var part = new IoVector { Address = bytes, Length = (nuint)buffer.Length };
                var message = new SocketMessage { Parts = &part, Count = 1, Control = control, ControlLength = HeaderLength + (MaxDescriptors * sizeof(int)) };
                var count = recvmsg(socket, &message, CloseOnExec);
                if (count < 0 && Marshal.GetLastPInvokeError() == Interrupted)
                    continue;
                if (count < 0)
                    throw SystemCallException.Last("recvmsg", name);
                Take(new ReadOnlySpan<byte>(control, (int)message.ControlLength), descriptors);
                return (int)count;
            }
        }
    }

    /// <summary>Sends bytes, and an open file with them.</summary>
    /// <param name="name">For errors.</param>
    /// <exception cref="SystemCallException">It can't be sent.</exception>
    public static void Send(SafeHandle socket, ReadOnlySpan<byte> buffer, SafeFileHandle descriptor, string name)
    {
        var control = stackalloc byte[HeaderLength + (2 * sizeof(int))];
        var header = new Span<byte>(control, HeaderLength + sizeof(int));
        BinaryPrimitives.WriteUInt64LittleEndian(header, HeaderLength + sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], SocketLevel);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], Rights);
        var added = false;
        descriptor.DangerousAddRef(ref added);
        try
        {
            BinaryPrimitives.WriteInt32LittleEndian(header[HeaderLength..], (int)descriptor.DangerousGetHandle());
            // Sound: as in Receive; the file stays open by the reference that was taken.
            fixed (byte* bytes = buffer)
            {
                var part = new IoVector { Address = bytes, Length = (nuint)buffer.Length };
                while (part.Length > 0)
                {
                    // The file goes with the first byte.
                    var first = part.Address == bytes;
                    var message = new SocketMessage { Parts = &part, Count = 1, Control = first ? control : null, ControlLength = first ? HeaderLength + (2 * sizeof(int)) : 0u };
                    var count = sendmsg(socket, &message, NoSignal);
                    if (count < 0 && Marshal.GetLastPInvokeError() == Interrupted)
                        continue;
                    if (count < 0)
                        throw SystemCallException.Last("sendmsg", name);
                    part.Address += count;
                    part.Length -= (nuint)count;
                }
            }
        }
        finally
        {
            descriptor.DangerousRelease();
        }
    }

    private static void Take(ReadOnlySpan<byte> control, ICollection<SafeFileHandle> descriptors)
    {
        // struct cmsghdr: size_t cmsg_len, int cmsg_level, int cmsg_type, then descriptors.
        while (control.Length >= HeaderLength)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(control);
            if (length < HeaderLength || length > control.Length)
                return;
            if (BinaryPrimitives.ReadInt32LittleEndian(control[8..]) == SocketLevel && BinaryPrimitives.ReadInt32LittleEndian(control[12..]) == Rights)
            {
                foreach (var number in MemoryMarshal.Cast<byte, int>(control[HeaderLength..length]))
                    descriptors.Add(new SafeFileHandle(number, ownsHandle: true));
            }

            control = control[Math.Min(control.Length, (length + 7) & ~7)..];
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeHandle socket, SocketMessage* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeHandle socket, SocketMessage* message, int flags);
}
