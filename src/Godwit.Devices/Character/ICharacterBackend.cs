namespace Godwit.Devices.Character;

/// <summary>What stands behind a serial port: a terminal, a file, a socket (QEMU: <c>Chardev</c>).</summary>
public interface ICharacterBackend : IDisposable
{
    /// <summary>False while the other side is full: a device then keeps what it has, and asks again. Called with the machine's lock held.</summary>
    bool CanWrite => true;

    /// <summary>Takes what the guest wrote, a few bytes without blocking if <see cref="CanWrite"/>. Called with the machine's lock held.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Connects the device; from now on input goes to it. Called once.</summary>
    void Attach(ICharacterFrontend frontend);

    /// <summary>The device has room again; called with the machine's lock held.</summary>
    void AcceptInput();
}

/// <summary>The device's side. All is called with the machine's lock held.</summary>
public interface ICharacterFrontend
{
    /// <summary>How many bytes it takes now; the backend keeps the rest until <see cref="ICharacterBackend.AcceptInput"/>.</summary>
    int CanReceive { get; }

    /// <param name="bytes">At most <see cref="CanReceive"/>.</param>
    void Receive(ReadOnlySpan<byte> bytes);

    /// <summary>A break condition (Ctrl-A b of a multiplexed terminal).</summary>
    void ReceiveBreak();
}
