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
    public static string Linux(string architecture, string file) => Cached("eng/install-linux-guests", "linux", architecture, file);

    /// <summary>Where eng/install-qmp-client has put QEMU's own QMP client: a PYTHONPATH.</summary>
    public static string QmpClient => System.IO.Path.GetFullPath(System.IO.Path.Combine(Cached("eng/install-qmp-client", "qmp-client", "qemu", "qmp", "__init__.py"), "../../.."));

    private static string Cached(string installer, params string[] parts)
    {
        var cache = Environment.GetEnvironmentVariable("GODWIT_PEERS")
            ?? System.IO.Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "godwit");
        var path = System.IO.Path.Combine([cache, .. parts]);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run {installer}");
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
