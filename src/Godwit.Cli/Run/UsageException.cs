namespace Godwit.Cli.Run;

/// <summary>The command line is wrong: one line that names the option. The command ends with <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string message) : Exception(message);
