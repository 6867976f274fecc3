namespace Godwit.Devices.Interrupts;

/// <summary>A wire with a level, from a device to an interrupt controller (QEMU: <c>qemu_irq</c>). Set with the machine's lock held.</summary>
/// <param name="receiver">Told of every level, also of one that doesn't change.</param>
public sealed class InterruptLine(Action<bool> receiver)
{
    /// <summary>A wire that ends nowhere.</summary>
    public static InterruptLine Unconnected { get; } = new(_ => { });

    public void Set(bool level) => receiver(level);

    public void Raise() => receiver(true);

    public void Lower() => receiver(false);

    /// <summary>Up and down again.</summary>
    public void Pulse()
    {
        receiver(true);
        receiver(false);
    }
}
