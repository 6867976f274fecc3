namespace Godwit.Devices.Character;

/// <summary>Nobody: output is dropped, input never comes (QEMU: <c>null</c>).</summary>
public sealed class NullBackend : ICharacterBackend
{
    public bool TryWrite(ReadOnlySpan<byte> bytes) => true;

    public void Attach(ICharacterFrontend frontend)
    {
    }

    public void AcceptInput()
    {
    }

    public void Dispose()
    {
    }
}
