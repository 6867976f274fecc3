using Godwit.Machine.Virt.Loading;

namespace Godwit.Cli.Run;

/// <summary><c>-dumpdtb</c>: the device tree that the guest would be given, with the addresses of what would be loaded.</summary>
internal static class DeviceTreeDump
{
    /// <exception cref="LoadException">A file that the tree speaks of can't be loaded.</exception>
    public static byte[] Create(RunOptions options) => BoardLoader.Load(options.ToLoadRequest()).DeviceTree.ToArray();

    /// <summary>Writes it to the file that <see cref="RunOptions.DumpDeviceTree"/> names.</summary>
    /// <exception cref="IOException">It can't be made, or not be written.</exception>
    public static void Write(RunOptions options) =>
        File.WriteAllBytes(options.DumpDeviceTree ?? throw new ArgumentException("no file is named", nameof(options)), Create(options));
}
