namespace Godwit.Cli;

internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The operation failed: the migration did, or the stream is invalid.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
}
