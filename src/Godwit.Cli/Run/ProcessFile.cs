using System.Globalization;

namespace Godwit.Cli.Run;

/// <summary>A file with the number of this process in it, for as long as the machine lives (QEMU: <c>-pidfile</c>).</summary>
internal sealed class ProcessFile : IDisposable
{
    private readonly string _path;

    public ProcessFile(string path)
    {
        _path = path;
        File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
    }

    public void Dispose() => File.Delete(_path);
}
