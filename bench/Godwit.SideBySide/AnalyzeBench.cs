using Godwit.Testing;

namespace Godwit.SideBySide;

/// <summary><c>godwit analyze</c> against QEMU's analyze-migration.py on the same file, whole processes.</summary>
internal static class AnalyzeBench
{
    public static void Run(string stream, string script, int rounds)
    {
        Console.WriteLine("analyze:");
        var comparison = new Comparison($"analyze a received file of {new FileInfo(stream).Length >> 20} MiB", "godwit analyze", "analyze-migration.py");
        for (var round = 0; round <= rounds; round++)
        {
            var ours = Time(Repository.Path("godwit"), ["analyze", stream]);
            var theirs = Time("python3", [script, "-f", stream]);
            if (round > 0)
                comparison.Add(ours, theirs);
        }

        comparison.Print();
    }

    private static Sample Time(string program, string[] arguments)
    {
        using var process = new Measured(program, arguments);
        return process.Wait();
    }
}
