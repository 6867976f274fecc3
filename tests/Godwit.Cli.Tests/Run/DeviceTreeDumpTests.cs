using Godwit.Cli.Run;
using Godwit.Machine.Virt.DeviceTree;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;

namespace Godwit.Cli.Tests.Run;

public sealed class DeviceTreeDumpTests
{
    [Fact]
    public void The_file_has_the_tree_that_the_options_describe()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("kernel"), new byte[100]);
        File.WriteAllBytes(folder.File("initrd"), new byte[200]);
        var options = RunOptions.Parse(["-M", $"virt,dumpdtb={folder.File("dtb")}", "-bios", "none", "-smp", "3", "-m", "64M",
            "-kernel", folder.File("kernel"), "-initrd", folder.File("initrd"), "-append", "quiet"]);

        DeviceTreeDump.Write(options);

        var tree = FlattenedDeviceTree.Parse(File.ReadAllBytes(folder.File("dtb")));
        Assert.Equal(3, tree.Find("/cpus")!.Children.Count(c => c.Name.StartsWith("cpu@", StringComparison.Ordinal)));
        Assert.Equal([0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0], tree.Find("/memory")!.Get("reg")!);
        Assert.Equal([0, 0, 0, 0, 0x82, 0, 0, 200], tree.Find("/chosen")!.Get("linux,initrd-end")!);
        Assert.Equal("quiet\0"u8.ToArray(), tree.Find("/chosen")!.Get("bootargs")!);
    }

    [Fact]
    public void A_file_that_cannot_be_loaded_is_an_error_and_nothing_is_written()
    {
        using var folder = new TemporaryFolder();
        var options = RunOptions.Parse(["-dumpdtb", folder.File("dtb"), "-bios", "none", "-kernel", folder.File("kernel")]);

        Assert.Throws<LoadException>(() => DeviceTreeDump.Write(options));
        Assert.Empty(folder.Names);
    }
}
