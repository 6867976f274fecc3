namespace Godwit.Monitor.Server;

/// <summary>What a command is answered with when it isn't followed.</summary>
internal sealed class QmpError(string message, string errorClass = QmpError.Generic) : Exception(message)
{
    public const string Generic = "GenericError";
    public const string CommandNotFound = "CommandNotFound";

    public string ErrorClass { get; } = errorClass;
}
