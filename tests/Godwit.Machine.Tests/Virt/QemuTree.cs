using System.Diagnostics;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt.DeviceTree;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Virt;

/// <summary>The device tree that QEMU makes, and a form of trees that two of them can be compared in.</summary>
internal static class QemuTree
{
    /// <summary>Named by QEMU's rv64 without h, and not by ours: what comes with the hypervisor, and debug triggers.</summary>
    private static readonly string[] NotOurs = ["sdtrig", "shcounterenw", "shgatpa", "shtvala", "shvsatpa", "shvstvala", "shvstvecd"];

    /// <summary>Runs <c>-machine virt,dumpdtb=FILE</c>.</summary>
    public static async Task<byte[]> DumpAsync(params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("dtb");
        using var process = Process.Start(new ProcessStartInfo(Peers.Path("qemu-newest-system-riscv64"),
            ["-machine", $"virt,dumpdtb={file}", "-display", "none", "-serial", "none", "-monitor", "none", .. arguments])
        { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await File.ReadAllBytesAsync(file) : throw new InvalidOperationException(errors);
    }

    /// <summary>A model with the names that QEMU adds, so that whole blobs can be equal.</summary>
    public static CpuModel AsQemuNamesIt(CpuModel model)
    {
        var extensions = model.Extensions.ToList();
        extensions.InsertRange(extensions.IndexOf("ssccptr"), NotOurs);
        return model with { Extensions = [.. extensions] };
    }

    /// <summary>The blob with zeros for its seed, and for the padding between values, where libfdt leaves what was there before.</summary>
    public static byte[] WithoutSeed(byte[] blob)
    {
        var tree = FlattenedDeviceTree.Parse(blob);
        var copy = tree.ToBytes();
        Assert.Equal(blob.Length, copy.Length);
        foreach (var range in tree.ValuesOf("rng-seed"))
            copy.AsSpan(range).Clear();
        return copy;
    }

    /// <summary>A line a node, a line a property, in order.</summary>
    public static List<string> Lines(byte[] blob)
    {
        var lines = new List<string>();
        Add(lines, "", FlattenedDeviceTree.Parse(blob).Root);
        return lines;
    }

    private static void Add(List<string> lines, string path, DeviceTreeNode node)
    {
        lines.Add($"{path}/");
        lines.AddRange(node.Properties.Select(p => $"{path}/{p.Name} = {(p.Name.StartsWith("riscv,isa", StringComparison.Ordinal) ? Isa(p.Value) : Convert.ToHexString(p.Value))}"));
        foreach (var child in node.Children)
            Add(lines, $"{path}/{child.Name}", child);
    }

    private static string Isa(byte[] value) => System.Text.Encoding.ASCII.GetString(value).Replace('\0', ' ');
}
