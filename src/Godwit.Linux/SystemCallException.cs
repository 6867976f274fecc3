using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>A system call said no.</summary>
/// <param name="call">As man pages name it.</param>
/// <param name="error">The errno.</param>
/// <param name="subject">What it was asked of.</param>
public sealed class SystemCallException(string call, int error, string subject)
    : IOException($"{call} {subject}: {Marshal.GetPInvokeErrorMessage(error)}")
{
    /// <summary>The errno.</summary>
    public int Error { get; } = error;

    internal static SystemCallException Last(string call, string subject) => new(call, Marshal.GetLastPInvokeError(), subject);
}
