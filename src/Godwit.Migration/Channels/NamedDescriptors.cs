using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.Channels;

/// <summary>Open files that this process was given under names, for <c>fd:NAME</c>. For any thread. Source: QEMU monitor/fds.c.</summary>
public static class NamedDescriptors
{
    private static readonly Lock Guard = new();
    private static readonly Dictionary<string, SafeFileHandle> Files = new(StringComparer.Ordinal);

    /// <summary>Takes the place of one that had the name.</summary>
    /// <param name="file">Is closed where it can't have that name.</param>
    /// <exception cref="MigrationRefusedException">It looks like a number.</exception>
    public static void Add(string name, SafeFileHandle file)
    {
        if (name.Length > 0 && char.IsAsciiDigit(name[0]))
        {
            file.Dispose();
            throw new MigrationRefusedException("Parameter 'fdname' expects a name not starting with a digit");
        }

        lock (Guard)
        {
            if (Files.Remove(name, out var older))
                older.Dispose();
            Files.Add(name, file);
        }
    }

    /// <exception cref="MigrationRefusedException">There is none of that name.</exception>
    public static void Close(string name) => (Remove(name) ?? throw new MigrationRefusedException($"File descriptor named '{name}' not found")).Dispose();

    /// <returns>The descriptor's number, which is the caller's then.</returns>
    /// <exception cref="MigrationRefusedException">There is none of that name, or it is neither a socket nor a pipe.</exception>
    public static int Take(string name)
    {
        var file = Remove(name) ?? throw new MigrationRefusedException($"File descriptor named '{name}' has not been found");
        if (HasLength(file))
        {
            file.Dispose();
            throw new MigrationRefusedException("fd: migration to a file is not supported. Use file: instead.");
        }

        var number = DescriptorSets.Number(file);
        file.SetHandleAsInvalid();
        return number;
    }

    private static bool HasLength(SafeFileHandle file)
    {
        try
        {
            RandomAccess.GetLength(file);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    private static SafeFileHandle? Remove(string name)
    {
        lock (Guard)
            return Files.Remove(name, out var file) ? file : null;
    }
}
