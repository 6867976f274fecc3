namespace Godwit.Machine.Virt.Loading;

/// <summary>Finds the firmware that <c>-bios</c> names, or the one that comes with QEMU.</summary>
public static class FirmwareSearch
{
    private const string Default = "opensbi-riscv64-generic-fw_dynamic.bin";

    /// <summary>Where distributions put QEMU's data files.</summary>
    private static readonly string[] DataFolders = ["/usr/share/qemu", "/usr/local/share/qemu"];

    /// <summary>Where they put OpenSBI when it is a package of its own.</summary>
    private static readonly string[] Packaged =
    [
        "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
        "/usr/share/opensbi/lp64/generic/firmware/fw_dynamic.bin",
    ];

    /// <param name="bios"><c>-bios</c>'s value; null as if it said <c>default</c>.</param>
    /// <param name="folders">Looked through before the usual ones.</param>
    /// <returns>A path; null for <c>none</c>.</returns>
    /// <exception cref="LoadException">There is none.</exception>
    public static string? Find(string? bios, IReadOnlyList<string> folders)
    {
        var all = folders.Concat(DataFolders);
        switch (bios)
        {
            case "none":
                return null;
            case null or "default":
                return all.Select(f => Path.Combine(f, Default)).Concat(Packaged).FirstOrDefault(File.Exists)
                    ?? throw new LoadException($"firmware '{Default}' is not in {string.Join(", ", all)}: install the package opensbi or qemu-system-data, or name a file with -bios");
            default:
                return File.Exists(bios)
                    ? bios
                    : all.Select(f => Path.Combine(f, bios)).FirstOrDefault(File.Exists) ?? throw new LoadException($"firmware '{bios}' does not exist");
        }
    }
}
