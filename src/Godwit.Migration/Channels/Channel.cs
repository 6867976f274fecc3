using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Channels;

/// <summary>
/// A blocking byte stream with a name, one way or both. One thread may read while another writes; <see cref="Shutdown"/> may come
/// from any thread and wakes both.
/// </summary>
public abstract class Channel : IDisposable
{
    protected Channel(string name)
    {
        Name = name;
    }

    /// <summary>What the channel leads to, for people.</summary>
    public string Name { get; }

    /// <summary>Whether both directions exist, so that a return path can run against the data.</summary>
    public abstract bool IsBidirectional { get; }

    /// <summary>Waits for bytes and reads some.</summary>
    /// <returns>Bytes read; 0 where the other side has closed.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract int Read(Span<byte> buffer);

    /// <summary>Whether <see cref="Read(ScatterBuffer)"/> can be used.</summary>
    public virtual bool CanScatter => false;

    /// <summary>Waits for bytes and reads some, to several places in order.</summary>
    /// <returns>Bytes read; 0 where the other side has closed.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual int Read(ScatterBuffer places) => throw new NotSupportedException();

    /// <summary>Waits until all places are filled, which are used up by it.</summary>
    /// <returns>Bytes read; less where the other side has closed.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual long ReadAll(ScatterBuffer places)
    {
        var total = 0L;
        for (var part = 0; part < places.Count; part++)
        {
            var count = ReadAll(places[part]);
            total += count;
            if (count < places[part].Length)
                break;
        }

        return total;
    }

    /// <summary>Waits until the buffer is full.</summary>
    /// <returns>Bytes read; less where the other side has closed.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public int ReadAll(Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length && Read(buffer[total..]) is > 0 and var count)
            total += count;
        return total;
    }

    /// <exception cref="IOException">The connection broke.</exception>
    public abstract void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes bytes that lie apart; without a copy where the channel can.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual void Write(GatherBuffer bytes)
    {
        for (var part = 0; part < bytes.Count; part++)
            Write(bytes[part]);
    }

    /// <summary>Has <see cref="WriteZeroCopy"/> send without a copy where the kernel can.</summary>
    /// <returns>False where this channel can't.</returns>
    public virtual bool TryUseZeroCopy() => false;

    /// <summary>Writes bytes from where they are, which may be read there until <see cref="FlushZeroCopy"/>.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual void WriteZeroCopy(GatherBuffer bytes) => throw new NotSupportedException();

    /// <summary>Waits until all of that has left.</summary>
    /// <returns>False: the kernel copied all of it.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual bool FlushZeroCopy() => throw new NotSupportedException();

    /// <summary>The file behind it, where pages can be written and read at places of their own.</summary>
    public virtual SafeFileHandle File => throw new NotSupportedException($"{Name} is no file");

    /// <summary>Where in the file the next byte is written or read.</summary>
    public virtual long Position
    {
        get => throw new NotSupportedException($"{Name} is no file");
        set => throw new NotSupportedException($"{Name} is no file");
    }

    /// <summary>Waits until a read would not block.</summary>
    /// <returns>False after <paramref name="milliseconds"/> of silence; null where the channel can't tell.</returns>
    public virtual bool? WaitReadable(int milliseconds) => null;

    /// <summary>Tells the other side that no more will be written.</summary>
    public abstract void CloseWrite();

    /// <summary>Ends the reading at once: a blocked read returns or throws. Writing goes on where the channel can keep them apart.</summary>
    public virtual void CloseRead() => Shutdown();

    /// <summary>Ends both directions at once; blocked calls return or throw.</summary>
    public abstract void Shutdown();

    /// <summary>Waits for what stands behind the channel, once both directions are closed.</summary>
    /// <exception cref="IOException">It failed: a command ended with an exit code other than 0.</exception>
    public virtual void WaitForPeer()
    {
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
