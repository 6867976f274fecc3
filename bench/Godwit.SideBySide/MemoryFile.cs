using System.Security.Cryptography;
using System.Text;

namespace Godwit.SideBySide;

/// <summary>A file in memory that a machine's RAM is mapped from: random data, or nothing but zeros.</summary>
internal sealed class MemoryFile : IDisposable
{
    private MemoryFile(string path)
    {
        Path = path;
    }

    public string Path { get; }

    public static MemoryFile Random(long size)
    {
        var memory = new MemoryFile(NewPath());
        using var file = File.Create(memory.Path);
        var buffer = new byte[1 << 20];
        for (var at = 0L; at < size; at += buffer.Length)
        {
            RandomNumberGenerator.Fill(buffer);
            file.Write(buffer);
        }

        return memory;
    }

    /// <summary>Every page is there, as in a guest that has used its memory and cleared it.</summary>
    public static MemoryFile Zero(long size)
    {
        var memory = new MemoryFile(NewPath());
        using var file = File.Create(memory.Path);
        var buffer = new byte[1 << 20];
        for (var at = 0L; at < size; at += buffer.Length)
            file.Write(buffer);
        return memory;
    }

    /// <summary>What compresses to a third or so: words in random order.</summary>
    public static MemoryFile Text(long size)
    {
        string[] words = ["migration ", "source ", "destination ", "memory ", "page ", "channel ", "guest ", "dirty ", "bitmap ", "round ", "downtime ", "section ", "device ", "state ", "0x80200000 ", "\n"];
        var random = new Random(1);
        var memory = new MemoryFile(NewPath());
        using var file = File.Create(memory.Path);
        var buffer = new byte[1 << 20];
        for (var at = 0L; at < size; at += buffer.Length)
        {
            for (var filled = 0; filled < buffer.Length;)
            {
                var word = Encoding.ASCII.GetBytes(words[random.Next(words.Length)]);
                var length = Math.Min(word.Length, buffer.Length - filled);
                word.AsSpan(0, length).CopyTo(buffer.AsSpan(filled));
                filled += length;
            }

            file.Write(buffer);
        }

        return memory;
    }

    /// <summary>A name for a file that somebody else makes.</summary>
    public static MemoryFile Empty() => new(NewPath());

    public void Dispose() => File.Delete(Path);

    private static string NewPath() => System.IO.Path.Combine("/dev/shm", $"godwit-bench-{Guid.NewGuid():N}");
}
