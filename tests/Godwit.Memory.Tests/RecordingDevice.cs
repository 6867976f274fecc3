namespace Godwit.Memory.Tests;

/// <summary>Keeps the accesses that reach it; a read gives bytes that count up with their offsets.</summary>
internal sealed class RecordingDevice(AccessSizes sizes) : IMmioDevice
{
    public string Name => "recording";

    public AccessSizes Sizes { get; } = sizes;

    /// <summary>Such as <c>read 8:4</c> or <c>write 8:4=1234</c>: offset, size and value, in hexadecimal.</summary>
    public List<string> Calls { get; } = [];

    public Func<ulong, int, bool, bool> Taken { get; init; } = (_, _, _) => true;

    public bool Accepts(ulong offset, int size, bool isWrite) => Taken(offset, size, isWrite);

    public ulong Read(ulong offset, int size)
    {
        Calls.Add($"read {offset:x}:{size}");
        ulong value = 0;
        // More bytes than were asked for: what is above must not reach the guest.
        for (var n = 0; n < 8; n++)
            value |= (0x10 + offset + (ulong)n) << (8 * n);
        return value;
    }

    public void Write(ulong offset, int size, ulong value) => Calls.Add($"write {offset:x}:{size}={value:x}");
}
