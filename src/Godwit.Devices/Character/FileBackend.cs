namespace Godwit.Devices.Character;

/// <summary>A file that takes the output (QEMU: <c>file</c>). Each write is the kernel's before it returns.</summary>
public sealed class FileBackend : ICharacterBackend
{
    private readonly FileStream _file;

    /// <param name="path">What it holds is lost.</param>
    /// <exception cref="IOException">It can't be written.</exception>
    public FileBackend(string path) => _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    public bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes);
        }
        catch (IOException)
        {
            // A full disk mustn't stop the guest; QEMU drops it as well.
        }

        return true;
    }

    public void Attach(ICharacterFrontend frontend)
    {
    }

    public void AcceptInput()
    {
    }

    public void Dispose() => _file.Dispose();
}
