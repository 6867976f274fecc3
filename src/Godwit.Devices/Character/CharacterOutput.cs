namespace Godwit.Devices.Character;

/// <summary>Output on its way to the other side, written by a thread of its own: a reader that stalls holds up neither a hart nor the
/// machine's lock. Bounded; a device that finds it full is told when there is room.</summary>
internal sealed class CharacterOutput : IDisposable
{
    private const int Capacity = 64 << 10;
    private static readonly TimeSpan StallPatience = TimeSpan.FromSeconds(1);

    private readonly Lock _deviceLock;
    private readonly Action<byte[], int> _write;
    private readonly object _changed = new();
    private readonly Thread _thread;
    private byte[] _filling = new byte[Capacity];
    private byte[] _writing = new byte[Capacity];
    private int _filled;
    private long _written;
    private bool _isWriting;
    private bool _wasFull;
    private bool _disposed;

    /// <param name="deviceLock">The machine's lock.</param>
    /// <param name="write">Writes so many of the bytes, blocking; what it can't write is lost.</param>
    /// <param name="name">The thread's.</param>
    public CharacterOutput(Lock deviceLock, Action<byte[], int> write, string name)
    {
        _deviceLock = deviceLock;
        _write = write;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The device to tell of room.</summary>
    public ICharacterFrontend? Frontend { get; set; }

    /// <returns>False: there is no room for all of it now.</returns>
    public bool TryAdd(ReadOnlySpan<byte> bytes)
    {
        lock (_changed)
        {
            if (bytes.Length > Capacity - _filled)
            {
                _wasFull = true;
                return false;
            }

            bytes.CopyTo(_filling.AsSpan(_filled));
            _filled += bytes.Length;
            Monitor.PulseAll(_changed);
            return true;
        }
    }

    /// <summary>Returns when all is written, or when the other side has taken nothing for a second.</summary>
    public void Dispose()
    {
        lock (_changed)
        {
            for (var before = -1L; (_filled > 0 || _isWriting) && before != _written;)
            {
                before = _written;
                Monitor.Wait(_changed, StallPatience);
            }

            _disposed = true;
            Monitor.PulseAll(_changed);
        }
    }

    private void Run()
    {
        while (true)
        {
            int count;
            bool wasFull;
            lock (_changed)
            {
                _isWriting = false;
                Monitor.PulseAll(_changed);
                while (_filled == 0 && !_disposed)
                    Monitor.Wait(_changed);
                if (_disposed)
                    return;
                (_filling, _writing) = (_writing, _filling);
                (count, _filled) = (_filled, 0);
                _isWriting = true;
                (wasFull, _wasFull) = (_wasFull, false);
            }

            if (wasFull)
            {
                lock (_deviceLock)
                    Frontend?.WriteReady();
            }

            _write(_writing, count);
            lock (_changed)
                _written += count;
        }
    }
}
