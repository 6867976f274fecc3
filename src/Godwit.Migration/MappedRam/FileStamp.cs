using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.MappedRam;

/// <summary>By what a file that is read for long is known to be what it was: its length, and when it was written last.</summary>
internal readonly record struct FileStamp(long Length, DateTime Written)
{
    /// <summary>Some kernels note writes by the tick alone: two within one look the same.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private const int PatienceMilliseconds = 5000;

    public static FileStamp Of(SafeFileHandle file) => new(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));

    /// <summary>As <see cref="Of"/>, once it is old enough that any later write would show.</summary>
    /// <exception cref="IOException">Somebody keeps writing to it.</exception>
    public static FileStamp Settled(SafeFileHandle file)
    {
        var until = Environment.TickCount64 + PatienceMilliseconds;
        while (Environment.TickCount64 < until)
        {
            var stamp = Of(file);
            var age = DateTime.UtcNow - stamp.Written;
            if (age > Tick || age < TimeSpan.Zero)
                return stamp;
            Thread.Sleep((int)Math.Ceiling((Tick - age).TotalMilliseconds));
        }

        throw new IOException("the file is being written to");
    }
}
