using System.Globalization;

namespace Godwit.SideBySide;

/// <summary>As <see cref="MigrationBench"/>, with two and four multifd channels: memory as it is, zero, and compressed by zstd.</summary>
internal static class MultifdBench
{
    public static async Task RunAsync(long size, int rounds)
    {
        foreach (var (fill, channels, compression) in new[] { ("random", 2, "none"), ("random", 4, "none"), ("zero", 2, "none"), ("zero", 4, "none"), ("text", 2, "zstd") })
        {
            using var memory = fill switch
            {
                "random" => MemoryFile.Random(size),
                "zero" => MemoryFile.Zero(size),
                _ => MemoryFile.Text(size),
            };
            var field = new Field(
                string.Create(CultureInfo.InvariantCulture, $"{size >> 20} MiB of {fill} memory, stopped guest, tcp, {channels} multifd channels, compression {compression}"), "qemu to qemu");
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var (from, to) in MigrationBench.Pairings)
                    field.Add($"{from} to {to}", round, await MigrationBench.MoveAsync(from, to, memory.Path, size, channels, compression));
                if (fill == "random")
                    field.Add($"raw, {channels} sockets", round, RawSocket.Copy(memory.Path, size, channels));
                if (fill == "zero")
                    field.Add($"raw, {channels} readers", round, RawScan.Read(memory.Path, size, channels));
            }

            field.Print(size);
        }
    }
}
