using Godwit.Linux;

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

    /// <exception cref="IOException">The connection broke.</exception>
    public abstract void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes bytes that lie apart; without a copy where the channel can.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public virtual void Write(GatherBuffer bytes)
    {
        for (var part = 0; part < bytes.Count; part++)
            Write(bytes[part]);
    }

    /// <summary>Waits until a read would not block.</summary>
    /// <returns>False after <paramref name="milliseconds"/> of silence; null where the channel can't tell.</returns>
    public virtual bool? WaitReadable(int milliseconds) => null;

    /// <summary>Tells the other side that no more will be written.</summary>
    public abstract void CloseWrite();

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
