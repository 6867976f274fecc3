using System.Diagnostics;

namespace Godwit.Testing;

/// <summary>The QEMUs that eng/install-qemu has installed. A missing one fails the test that wants it.</summary>
public static class Peers
{
    private static readonly Lazy<Dictionary<string, string>> Found = new(Look);

    /// <param name="name">As eng/install-qemu calls it, such as <c>qemu-newest-system-riscv64</c>.</param>
    public static string Path(string name) => Found.Value.TryGetValue(name, out var path)
        ? path
        : throw new InvalidOperationException($"{name} is not installed: run eng/install-qemu");

    /// <summary>Where eng/install-linux-guests has put a Linux guest's file.</summary>
    public static string Linux(string architecture, string file)
    {
        var cache = Environment.GetEnvironmentVariable("GODWIT_PEERS")
            ?? System.IO.Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "godwit");
        var path = System.IO.Path.Combine(cache, "linux", architecture, file);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run eng/install-linux-guests");
    }

    private static Dictionary<string, string> Look()
    {
        var start = new ProcessStartInfo(Repository.Path("eng", "install-qemu"), ["--print"]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return lines.Select(l => l.Split('\t')).ToDictionary(c => c[0], c => c[1], StringComparer.Ordinal);
    }
}
