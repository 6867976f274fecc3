namespace Godwit.Devices.Character;

/// <summary>Input on its way to a device: kept until the device has room. The thread that reads the other side waits while much is
/// kept, so nothing is lost.</summary>
/// <param name="deviceLock">The machine's lock.</param>
internal sealed class CharacterInput(Lock deviceLock) : IDisposable
{
    // A terminal's commands still come through while the guest leaves this many keys unread.
    private const int Much = 4096;

    // Among the bytes: a break condition.
    private const short Break = -1;

    private readonly Queue<short> _pending = new();
    private readonly ManualResetEventSlim _room = new(initialState: true);
    private ICharacterFrontend? _frontend;
    private volatile bool _disposed;

    public void Attach(ICharacterFrontend frontend)
    {
        lock (deviceLock)
        {
            if (_frontend is not null)
                throw new InvalidOperationException("a device is attached already");
            _frontend = frontend;
            Deliver();
        }
    }

    /// <summary>Hands bytes over, and waits while the device leaves too many. For the thread that reads.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (deviceLock)
        {
            foreach (var b in bytes)
                _pending.Enqueue(b);
            Deliver();
        }

        WaitForRoom();
    }

    /// <summary>Hands a break condition over.</summary>
    public void AddBreak()
    {
        lock (deviceLock)
        {
            _pending.Enqueue(Break);
            Deliver();
        }

        WaitForRoom();
    }

    /// <summary>Gives the device what it has room for; with the machine's lock held.</summary>
    public void Deliver()
    {
        Span<byte> bytes = stackalloc byte[64];
        while (_frontend is not null && _pending.TryPeek(out var next))
        {
            if (next == Break)
            {
                _pending.Dequeue();
                _frontend.ReceiveBreak();
                continue;
            }

            var room = Math.Min(_frontend.CanReceive, bytes.Length);
            var count = 0;
            while (count < room && _pending.TryPeek(out next) && next != Break)
                bytes[count++] = (byte)_pending.Dequeue();
            if (count == 0)
                break;
            _frontend.Receive(bytes[..count]);
        }

        if (_disposed || _pending.Count < Much)
            _room.Set();
        else
            _room.Reset();
    }

    /// <summary>Forgets what wasn't taken; no thread waits any more.</summary>
    public void Dispose()
    {
        _disposed = true;
        _room.Set();
    }

    private void WaitForRoom()
    {
        if (!_disposed)
            _room.Wait();
    }
}
